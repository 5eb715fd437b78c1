/**
 * Locks in plain words: who holds, who waits, and who is in whose way.
 */
import { compatible, defaultLockspace, escapeText, modeNamed, type HolderInfo, type LockInfo, type ModeName, type OwnerInfo, type ResultName, type Unlisted } from '../core/index.js';
import { formatDuration } from './durations.js';

/** So many locks are named one by one; of the rest only the number is told. */
const namedMax = 5;

/** So much of a command is shown in a sentence. */
const commandMax = 72;

/** What is wanted, and where it stands if it stands in a queue. */
export interface Want {
  readonly mode: ModeName;
  /** Our own request among the locks, if it is queued. */
  readonly mine: LockInfo | null;
}

/**
 * Who keeps us waiting?
 *
 * Whoever holds a mode that excludes ours; if nobody does, those who stand before
 * us in a queue, for whose sake we wait.
 */
export function blockersOf(locks: readonly LockInfo[], { mode, mine }: Want): LockInfo[] {
  const others = locks.filter((lock) => lock.id !== mine?.id);
  const holders = others.filter((lock) => lock.mode !== null && excludes(lock.mode, mode));
  if (holders.length > 0) return holders;
  return others.filter((lock) => lock.state !== 'granted' && isBefore(lock, mine));
}

function excludes(held: ModeName, wanted: ModeName): boolean {
  return !compatible(modeNamed(held)!, modeNamed(wanted)!);
}

/** Conversions come before new requests. */
function isBefore(lock: LockInfo, mine: LockInfo | null): boolean {
  if (mine === null) return true;
  if (lock.state !== mine.state) return lock.state === 'converting';
  return (lock.position ?? 0) < (mine.position ?? 0);
}

/** A line for each of these locks, with its resource where they are not all on the same, and one for those not named. */
export function describeLocks(locks: readonly LockInfo[], first: 'resource' | null = null): string[] {
  const lines = locks.slice(0, namedMax).map((lock) => (first === null ? '' : `${lock.resource}: `) + describeLock(lock));
  const more = locks.length - namedMax;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

/** What the node waits for before it grants anything, and a line for each process. */
export function describeSurvivors(survivors: readonly HolderInfo[]): string[] {
  const lines = survivors.slice(0, namedMax).map(({ pid, command }) => `pid ${pid}${command === '' ? '' : `: ${showCommand(command, commandMax)}`}`);
  const more = survivors.length - namedMax;
  return [
    'the node grants nothing before the protected commands of its predecessor have ended',
    ...lines,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** `held in EX for 12 s by pid 4711 on node 1: ./backup.sh nightly`. */
export function describeLock(lock: LockInfo): string {
  return `${whatItDoes(lock)} ${formatDuration(lock.ageMillis)} ${describeOwner(lock.owner, lock.node)}`;
}

function whatItDoes({ state, mode, requested }: LockInfo): string {
  if (state === 'granted') return `held in ${mode} for`;
  if (state === 'converting') return `held in ${mode} and converting to ${requested} for`;
  return `asked for in ${requested} for`;
}

/** Somebody's command line on one line, safe to print, and not longer than there is room. */
export function showCommand(command: string, room: number): string {
  return cut(escapeText(command.trim().replace(/\s+/g, ' ')), room);
}

/** The text, or as much of its beginning as there is room for. */
export function cut(text: string, room: number): string {
  const chars = [...text];
  return chars.length <= room ? text : `${chars.slice(0, room - 1).join('')}…`;
}

function describeOwner(owner: OwnerInfo, node: number): string {
  const who = owner.pid === null ? 'somebody' : `pid ${owner.pid}`;
  const command = owner.command === '' ? '' : `: ${showCommand(owner.command, commandMax)}`;
  switch (owner.kind) {
    case 'orphan':
      return `by nobody, an orphan of ${who} on node ${node}${command}`;
    case 'ended':
      return `by somebody on node ${node} who has ended; it is given back when the node that decides about it answers`;
    case 'elsewhere':
      return `by somebody on node ${node}`;
    case 'node':
      return `by node ${node} itself`;
    default:
      return `by ${who} on node ${node}${command}`;
  }
}

/** `2nd of 3 in the queue`; empty if it stands in none. A queue on another node is not seen from here. */
export function describePlace(locks: readonly LockInfo[], mine: LockInfo | null): string {
  if (mine === null) return '';
  // A conversion that its master has not answered: the lock stands as it stood.
  if (mine.state === 'granted') return mine.master === null || mine.master === mine.node ? '' : `and for the answer of node ${mine.master}, which decides about it`;
  if (mine.position === null) return mine.master === null ? 'and for word of who decides about it' : `in the queue on node ${mine.master}, which decides about it`;
  const queue = locks.filter((lock) => lock.state === mine.state);
  const name = mine.state === 'converting' ? 'queue of conversions' : 'queue';
  return queue.length === 1 ? `alone in the ${name}` : `${ordinal(mine.position)} of ${queue.length} in the ${name}`;
}

/** What a completion told beside its status, a line each. */
export function describeResults(results: readonly ResultName[], mode: ModeName | null): string[] {
  const words: Readonly<Record<ResultName, string>> = {
    DEMOTED: 'DEMOTED: to resolve a deadlock of conversions, or because its master was lost, the lock had less for a while',
    ALTMODE: `ALTMODE: granted in ${mode}, the alternative that was asked for`,
    VALNOTVALID: 'VALNOTVALID: the value is not valid, because a writer gave up or died, or the node that decided about it has left or died',
    NOTSTORED: 'NOTSTORED: the value was not stored, because the node is outside a quorate view',
  };
  return results.map((result) => words[result]);
}

export function ordinal(count: number): string {
  const isTeen = Math.floor(count / 10) % 10 === 1;
  const ending = isTeen ? undefined : ['th', 'st', 'nd', 'rd'][count % 10];
  return `${count}${ending ?? 'th'}`;
}

/** `node 2 does not answer; its locks are not listed`, a line each. */
export function describeUnlisted(unlisted: readonly Unlisted[]): string[] {
  return unlisted.map(({ node, why }) => `node ${node} ${why === 'silent' ? 'does not answer' : 'has too many locks to tell, or is leaving'}; its locks are not listed`);
}

/** The command that asks all members; with the name only where the shell takes it as it stands. */
export function locksEverywhere(shown: string, lockspace: string): string {
  const asTyped = (word: string): boolean => /^(?!-|0x)[\w.:/@%+=,-]+$/.test(word);
  const where = lockspace !== defaultLockspace && asTyped(lockspace) ? ` -l ${lockspace}` : '';
  return `dlm locks -a${asTyped(shown) ? ` ${shown}` : ''}${where}`;
}

/** `1 lock`, `2 locks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
