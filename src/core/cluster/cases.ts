/**
 * The cases this node knows: which nodes have failed, and what has been found about each.
 *
 * A case is named by the victim and the life of it that failed. A verdict other than
 * `open` is stronger than `open`, whoever brings it, and is never taken back: so what
 * one node has reached survives it as soon as a single other one has heard of it.
 */
import type { Incarnation, NodeId } from '../base/ids.js';
import { wordsBytesMax } from '../wire/limits.js';
import type { FailureCase, Verdict } from '../wire/message.js';
import type { Member } from './view.js';

const keyOf = (victim: NodeId, life: Incarnation): string => `${victim}.${life}`;

export class Cases {
  readonly #cases = new Map<string, FailureCase>();
  /** Those that somebody has told as open in the present census, and may go on taking for open. */
  readonly #toldOpen = new Set<string>();

  /** In the order of the victims, each one's lives in their order. */
  all(): FailureCase[] {
    return [...this.#cases.values()].sort((one, other) => one.victim - other.victim || one.incarnation - other.incarnation);
  }

  open(): FailureCase[] {
    return this.all().filter(({ verdict }) => verdict === 'open');
  }

  get(victim: NodeId, life: Incarnation): FailureCase | null {
    return this.#cases.get(keyOf(victim, life)) ?? null;
  }

  put(one: FailureCase): void {
    this.#cases.set(keyOf(one.victim, one.incarnation), one);
  }

  /** What somebody else knows. */
  merge(other: FailureCase): void {
    const known = this.get(other.victim, other.incarnation);
    if (known === null) this.put(other);
    else if (known.verdict === 'open') {
      const witnesses = [...new Set([...known.witnesses, ...other.witnesses])].sort((one, two) => one - two);
      const lockspaces = [...new Set([...known.lockspaces, ...other.lockspaces])].sort();
      const trouble = other.attempts > known.attempts ? other : known;
      const { attempts, words } = trouble;
      this.put({ ...known, witnesses, lockspaces, attempts, words, verdict: other.verdict, ...(other.verdict === 'open' ? {} : { by: other.by, words: other.words }) });
    }
  }

  /** Close a case that is open. Returns it as it is now; null: there is none that is open. */
  close(victim: NodeId, life: Incarnation, verdict: Verdict, by: NodeId | null, words: string): FailureCase | null {
    const known = this.get(victim, life);
    if (known?.verdict !== 'open') return null;
    const closed = { ...known, verdict, by, words: sayable(words) };
    this.put(closed);
    return closed;
  }

  /** An attempt was in vain. Returns the case; null: it is closed, or none of ours. */
  fail(victim: NodeId, life: Incarnation, attempts: number, words: string): FailureCase | null {
    const known = this.get(victim, life);
    if (known?.verdict !== 'open' || attempts <= known.attempts) return null;
    const tried = { ...known, attempts, words: sayable(words) };
    this.put(tried);
    return tried;
  }

  /** Whose later life is here has been started anew. Returns the cases that this closes. */
  returned(members: readonly Member[]): FailureCase[] {
    const lives = new Map(members.map(({ node, incarnation }) => [node, incarnation]));
    return this.open().flatMap(({ victim, incarnation }) => {
      const life = lives.get(victim);
      const closed = life !== undefined && life >= incarnation ? this.close(victim, incarnation, 'returned', victim, 'it is here again') : null;
      return closed === null ? [] : [closed];
    });
  }

  /**
   * A newcomer has witnessed nothing, whoever had its number before. Where no witness has stayed, all who have stayed take
   * over: they know it of one another, and who comes later hears it from them.
   */
  keepWitnesses(stayed: readonly NodeId[], newcomers: ReadonlySet<NodeId>): void {
    for (const one of this.#cases.values()) {
      const kept = one.witnesses.filter((node) => !newcomers.has(node));
      const witnesses = kept.some((node) => stayed.includes(node)) ? kept : stayed;
      if (witnesses.join() !== one.witnesses.join()) this.put({ ...one, witnesses });
    }
  }

  /**
   * It has failed once more. That an earlier life of it has been followed by another one all have seen who knew of it, so
   * that need not be told: where no census ends for long, a node that comes and fails again and again would fill it.
   */
  forgetReturned(victim: NodeId): void {
    for (const [key, one] of this.#cases) {
      if (one.victim === victim && one.verdict === 'returned' && one.incarnation !== 0) this.#cases.delete(key);
    }
  }

  /** A census begins, in which all these are told. */
  beginCensus(): FailureCase[] {
    const all = this.all();
    this.#toldOpen.clear();
    for (const one of all) this.tell(one);
    return all;
  }

  /** Somebody has told it in the present census, which tells newcomers as well. */
  tell(one: FailureCase): void {
    if (one.verdict === 'open') this.#toldOpen.add(keyOf(one.victim, one.incarnation));
  }

  /**
   * All have spoken: a closed case that nobody has told as open is open nowhere, and need not be kept. Whoever tells one as open
   * would open it anew where it is forgotten. `alsoIf`: nor need those be kept.
   */
  forgetClosed(alsoIf: (one: FailureCase) => boolean): void {
    for (const [key, one] of this.#cases) {
      if ((one.verdict !== 'open' && !this.#toldOpen.has(key)) || alsoIf(one)) this.#cases.delete(key);
    }
  }
}

/** Of cases in their order, one a victim: that of its latest life. */
export function latestLives(cases: readonly FailureCase[]): FailureCase[] {
  return cases.filter(({ victim }, at) => cases[at + 1]?.victim !== victim);
}

/** As a message can carry it: one character a byte, and not too long. */
function sayable(words: string): string {
  return words.replace(/[^\x20-\xff]/g, '?').slice(0, wordsBytesMax);
}
