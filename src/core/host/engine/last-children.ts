/**
 * What a dead node leaves running: its protected commands, which may still use what it
 * held. They are ended before a view without it is told, for that view is what lets
 * others be granted it.
 *
 * A node leaves word in the cluster's folder where its children are registered,
 * under the name of its process, before it becomes a member. Whoever is registrar
 * when it has died looks there.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ChildRegister } from '../child-register.js';
import { FamilyStop } from '../family-stop.js';
import type { Places } from '../places.js';
import { identify, isAlive, type ProcessId } from '../process-facts.js';
import type { ProcessFamily } from '../process-family.js';
import type { ClusterPlaces } from './cluster-places.js';

const prefix = 'children-of-';
const lookMillis = 50;

const wordOf = (home: ClusterPlaces, { pid, started }: ProcessId): string => join(home.folder, `${prefix}${pid}.${started}`);

/**
 * Say where the children of this process are registered, once those that an earlier
 * node registered in the same place have ended: they must not be taken for ours, nor
 * ours for them. Words of those who are long gone are cleared away.
 */
export async function leaveWord(home: ClusterPlaces, { children }: Pick<Places, 'children'>, log: (line: string) => void): Promise<void> {
  const last = new LastChildren(home, log);
  for (const file of readdirSync(home.folder)) {
    const match = new RegExp(`^${prefix}(\\d+)\\.(\\d+)$`).exec(file);
    if (match === null) continue;
    const earlier = { pid: Number(match[1]), started: Number(match[2]) };
    if (isAlive(earlier)) continue;
    const isOurPlace = readTextOrNull(join(home.folder, file)) === children;
    while (isOurPlace && !last.areGone(earlier)) await pause(lookMillis);
    if (isOurPlace || last.areGone(earlier)) rmSync(join(home.folder, file), { force: true });
  }
  const self = identify(process.pid);
  if (self !== null) writeFileSync(wordOf(home, self), children, { mode: 0o600 });
}

/** Where the children of that process are registered; null: nowhere any more. */
export function wordAbout(home: ClusterPlaces, process: ProcessId): string | null {
  const folder = readTextOrNull(wordOf(home, process));
  // It is removed when the last of them has ended.
  return folder !== null && existsSync(folder) ? folder : null;
}

export class LastChildren {
  readonly #home: ClusterPlaces;
  readonly #log: (line: string) => void;
  readonly #stops = new FamilyStop();
  /** Those that are being ended, by process; the same object each time, since it is what is told once. */
  readonly #ending = new Map<string, ProcessFamily>();

  constructor(home: ClusterPlaces, log: (line: string) => void) {
    this.#home = home;
    this.#log = log;
  }

  /** The process has ended. Have its children? If not, they are made to; ask again. */
  areGone(process: ProcessId): boolean {
    const living = this.#childrenOf(process);
    for (const child of living) {
      const key = `${child.pid}.${child.started}`;
      if (this.#ending.has(key)) continue;
      this.#ending.set(key, child);
      this.#log(`process ${child.pid} may still use what the dead node of process ${process.pid} held, and is ended`);
      // The command that guards it may be stopping it just now, in the right order: a script whose steps are ended
      // before itself goes on with the next one. If the first of them has gone, so may have whoever guarded it.
      if (isAlive(child)) this.#stops.doomed(child);
      else this.#stops.unguarded(child);
    }
    this.#stops.look();
    this.#forgetGone();
    return living.length === 0;
  }

  #forgetGone(): void {
    for (const [key, child] of this.#ending) {
      if (!child.isGone) continue;
      this.#stops.forget(child);
      this.#ending.delete(key);
    }
  }

  #childrenOf(process: ProcessId): ProcessFamily[] {
    const folder = wordAbout(this.#home, process);
    if (folder === null) return [];
    return new ChildRegister({ children: folder, scope: 'folder' }).survivors().filter((child) => !child.isGone);
  }
}

function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
