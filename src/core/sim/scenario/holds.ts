/**
 * Which messages are held up: a path between two nodes, and kinds of messages on it.
 *
 * As over any link the order is kept: what comes after a message that is held waits
 * behind it, of whatever kind.
 */
import type { Letter } from '../ensemble.js';

interface Hold {
  readonly path: string;
  /** `KIND`, or `KIND:PHASE`; none: all. */
  readonly kinds: readonly string[];
}

export class Holds {
  #holds: Hold[] = [];

  add(path: string, kinds: readonly string[]): void {
    if (!/^(\d+|\*)>(\d+|\*)$/.test(path)) throw new SyntaxError(`'${path}' is no path between nodes, such as 2>1 or *>3`);
    this.#holds.push({ path, kinds });
  }

  /** Let go of what was held: everything, what is on a path, or these kinds on it. */
  remove(path: string | null, kinds: readonly string[]): void {
    const isMeant = (hold: Hold): boolean => hold.path === path && (kinds.length === 0 || kinds.join() === hold.kinds.join());
    this.#holds = path === null ? [] : this.#holds.filter((hold) => !isMeant(hold));
  }

  keeps(letter: Letter): boolean {
    return this.#holds.some(({ path, kinds }) => isOn(letter, path) && (kinds.length === 0 || kinds.some((kind) => isOfKind(letter, kind))));
  }
}

export function isOn({ from, to }: Letter, path: string): boolean {
  const [sender, receiver] = path.split('>');
  return (sender === '*' || Number(sender) === from) && (receiver === '*' || Number(receiver) === to);
}

export function isOfKind({ message }: Letter, pattern: string): boolean {
  const [kind, phase] = pattern.split(':');
  return message.kind === kind && (phase === undefined || ('phase' in message && message.phase === phase));
}
