/**
 * What the children did, as they wrote it down themselves: one shared file, a line
 * a beat. Nobody's word is taken for who held the lock.
 *
 *   4711 victim 1
 *   4711 victim 2
 *   4711 victim end
 */

export interface Ledger {
  /** Sections that were begun, by who they are. */
  readonly begun: Readonly<Record<string, number>>;
  /** Sections that came to their end. */
  readonly ended: Readonly<Record<string, number>>;
  /** Beats of somebody after another's section had begun. */
  readonly overlaps: readonly string[];
}

export function readLedger(text: string): Ledger {
  const begun: Record<string, number> = {};
  const ended: Record<string, number> = {};
  const overlaps: string[] = [];
  const over = new Set<string>();
  let present = '';
  for (const line of text.split('\n').filter((words) => words !== '')) {
    const [pid, who, beat] = line.split(' ') as [string, string, string];
    if (beat === '1') begun[who] = (begun[who] ?? 0) + 1;
    if (beat === 'end') ended[who] = (ended[who] ?? 0) + 1;
    if (pid === present) continue;
    if (over.has(pid)) overlaps.push(line);
    if (present !== '') over.add(present);
    present = pid;
  }
  return { begun, ended, overlaps };
}
