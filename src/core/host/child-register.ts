/**
 * The protected children of a node, on disk, so that its successor knows of them.
 *
 * One empty file a child, and its name says everything: making and removing a
 * name is all or nothing, so there is never half an entry. The names carry the
 * machine's run as well, because after a restart of the machine a pid and its
 * starting time may belong to something else.
 *
 *   4711.524642.4711.9f1c03aa.default:1.7.0000002a
 *
 * is process 4711, since when, in which session, in which run of the machine, and
 * the mark of its family.
 */
import { closeSync, constants, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepareFolder, type Places } from './places.js';
import { bootId } from './process-facts.js';
import { ProcessFamily } from './process-family.js';
import { codeOf, unusable } from './system-error.js';

/** The longest mark that fits into a file's name; whoever has a longer one is known by its process alone. */
const markMax = 150;

export class ChildRegister {
  readonly #folder: string;
  readonly #boot = bootId();

  constructor(places: Pick<Places, 'children' | 'scope'>) {
    this.#folder = places.children;
    prepareFolder(this.#folder, places.scope);
  }

  /** Returns when the entry is there. Throws `DLM_STATE_UNUSABLE`. */
  add(child: ProcessFamily): void {
    const path = this.#entry(child);
    try {
      closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
    } catch (error) {
      throw unusable(`cannot register process ${child.pid} in ${this.#folder}`, error);
    }
  }

  remove(child: ProcessFamily): void {
    rmSync(this.#entry(child), { force: true });
  }

  /** The children of an earlier node that are still alive; all other entries are cleared away. */
  survivors(): ProcessFamily[] {
    const living: ProcessFamily[] = [];
    for (const name of this.#names()) {
      const child = this.#childIn(name);
      if (child?.isLongGone === false) living.push(child);
      else rmSync(join(this.#folder, name), { force: true });
    }
    return living;
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw unusable(`cannot read ${this.#folder}`, error);
    }
  }

  #entry({ pid, started, session, mark }: ProcessFamily): string {
    const plain = mark.length <= markMax && !mark.includes('/') ? mark : '';
    return join(this.#folder, `${pid}.${started}.${session}.${this.#boot}.${plain}`);
  }

  #childIn(name: string): ProcessFamily | null {
    const match = /^(\d+)\.(\d+)\.(\d+)\.([^.]*)\.(.*)$/.exec(name);
    if (match === null || match[4] !== this.#boot) return null;
    return new ProcessFamily({ pid: Number(match[1]), started: Number(match[2]), session: Number(match[3]) }, match[5]!);
  }
}
