/**
 * Which process each member of a local cluster is, or was: the last life of each number
 * that was in a view. Asked by those who fence a member, or declare one failed.
 *
 * Nobody is ever called gone here. Whoever is declared failed is killed, and the view
 * without it comes as after any other death: when the registrar has seen its end.
 */
import type { Incarnation, NodeId } from '../../base/ids.js';
import type { NodeProcess } from '../fence-process.js';
import { bootId, isAlive, pidNamespace } from '../process-facts.js';
import type { ClusterPlaces } from './cluster-places.js';
import { wordAbout } from './last-children.js';
import type { Enrolled, Entry } from './roll.js';

/** How long a view without somebody may take: its commands have their time to end before that. */
const expelMillis = 30_000;

export class Lives {
  readonly #places: ClusterPlaces;
  readonly #last = new Map<number, Enrolled>();
  #present: Entry | null = null;
  #waiting: { readonly life: string; readonly gone: () => void }[] = [];

  constructor(places: ClusterPlaces) {
    this.#places = places;
  }

  /** A new view. */
  note(entry: Entry): void {
    this.#present = entry;
    for (const member of entry.members) this.#last.set(member.node, member);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (this.#isMember(one.life)) this.#waiting.push(one);
      else one.gone();
    }
  }

  processOf(node: NodeId, life: Incarnation): NodeProcess | null {
    const member = this.#last.get(node);
    if (member?.incarnation !== life) return null;
    const { pid, started } = member;
    return { pid, started, pidNamespace: pidNamespace(), boot: bootId(), children: wordAbout(this.#places, member) };
  }

  /** Kill it, and wait for a view without it. False: there was none in time. */
  async end(node: NodeId): Promise<boolean> {
    const member = this.#last.get(node);
    if (member === undefined || !this.#isMember(member.life)) return true;
    let timer: NodeJS.Timeout | null = null;
    const isGone = new Promise<boolean>((resolve) => {
      this.#waiting.push({ life: member.life, gone: () => resolve(true) });
      timer = setTimeout(() => resolve(false), expelMillis);
    });
    // A pid is used again, and the time of its start is not.
    if (isAlive(member)) process.kill(member.pid, 'SIGKILL');
    return isGone.finally(() => clearTimeout(timer!));
  }

  #isMember(life: string): boolean {
    return this.#present?.members.some((member) => member.life === life) === true;
  }
}
