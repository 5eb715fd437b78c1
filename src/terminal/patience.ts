/**
 * Waiting for a grant, in front of a person or a script.
 *
 * After a second the waiter says who is in the way; when it gives up, it says so
 * again. A signal takes the request back. Whether the grant or the end of
 * patience came first is decided by the node, so that there is one outcome.
 */
import { DlmError, Unanswered, goesBack, type ErrorCode, type HolderInfo, type LockFilter, type LockHandle, type LockInfo, type LocksOfAll, type ModeName, type NodeClient, type NodeStatus } from '../core/index.js';
import { blockersOf, describeLocks, locksEverywhere, describePlace, describeSurvivors } from './describe.js';
import { describeSilent, describeStop, describeSuspension, hasOtherKey, keyHint, newsIn, suspectsOf } from './describe-status.js';
import { formatLimit } from './durations.js';
import { describeAncestors } from './own-ancestors.js';
import { Failure, isDlmError } from './report.js';
import { bySignal, type EndSignal } from './signals.js';
import { lookMillis, within } from './slow-answer.js';

/** How long nobody needs to be told that we wait. */
const silenceMillis = 1000;
/** How long whoever decides may take to answer somebody who does not want to wait. */
const answerMillis = 2000;
/** How long others may take to tell who is in the way, to somebody who has waited long enough. */
const lastWordsMillis = 500;
/** A timer cannot be set for longer, and nobody waits so long. */
const timerMax = 0x7fff_ffff;

/** How patient the command line is. */
export interface Patience {
  readonly nonblock: boolean;
  readonly wait?: number | undefined;
  /** Since when, by `performance.now()`, if not from now on. */
  readonly since?: number;
  /** The exit code for busy and timed out, if it is not to be the usual one. */
  readonly 'conflict-exit-code'?: number | undefined;
}

/** What is waited for, and in front of whom. */
export interface Waiting {
  /** The locks on the resource; asked only of those who have something to tell. */
  readonly locks: () => Promise<LocksOfAll>;
  /** The same, as far as our own node knows them. */
  readonly locksHere: () => Promise<readonly LockInfo[]>;
  readonly lockspace: string;
  /** The node's: what an earlier one protected and still runs, or a recovery, may keep it from taking any request. */
  readonly status: () => Promise<NodeStatus>;
  readonly shown: string;
  readonly mode: ModeName;
  /** Which of the locks on the resource is the one that waits? */
  readonly isMine: (lock: LockInfo) => boolean;
  /** Who waits, if that is a process which may have the lock itself. */
  readonly caller?: number;
  /** See `Caller`. */
  readonly takerOf?: (id: string) => number | null;
  readonly patience: Patience;
  readonly isQuiet: boolean;
  readonly note: (words: string) => void;
}

/**
 * What a request says of its patience: -w 0 tries once and does not wait, as -n. That is answered at once, or whoever
 * decides is silent, and is not waited for either.
 */
export function limitsOf({ nonblock, wait, since }: Patience): { mustNotWait: boolean; timeout?: number } {
  if (nonblock || wait === 0) return { mustNotWait: true, timeout: answerMillis };
  if (wait === undefined) return { mustNotWait: false };
  const passed = since === undefined ? 0 : performance.now() - since;
  return { mustNotWait: false, timeout: Math.max(1, wait - passed) };
}

/** How long the node of this machine may say nothing at all; undefined: as long as to anybody. One that is only slow is not taken for silent. */
export function answerTimeoutOf(patience: Patience): { answerTimeout?: number } {
  const { timeout } = limitsOf(patience);
  return timeout === undefined ? {} : { answerTimeout: Math.max(2 * lastWordsMillis, timeout + lastWordsMillis) };
}

/**
 * Reach the node, by `reach`. That it is silent until patience is at its end means that `mode` on `shown` is not granted in
 * time; before that, it is a node that does not answer, as it is for somebody who would wait for ever.
 */
export async function reachedInTime<Reached>(wish: Pick<Waiting, 'shown' | 'mode' | 'patience' | 'isQuiet'>, reach: () => Promise<Reached>): Promise<Reached> {
  const { patience } = wish;
  const { mustNotWait, timeout = Infinity } = limitsOf(patience);
  const began = performance.now();
  try {
    return await reach();
  } catch (error) {
    if (performance.now() - began < timeout || !(error instanceof Unanswered)) throw error;
    const { 'conflict-exit-code': exit } = patience;
    const words = sentence(wish, { nodes: [], words: error.message });
    throw new Failure(new DlmError(mustNotWait ? 'DLM_BUSY' : 'DLM_TIMED_OUT', words, error.hint), { isSilent: wish.isQuiet, ...(exit === undefined ? {} : { exit }) });
  }
}

/** The locks on one resource, for `Waiting`. */
export function lockLists(from: Pick<NodeClient, 'locks' | 'locksOfAll'>, filter: LockFilter): Pick<Waiting, 'locks' | 'locksHere'> {
  return { locks: () => from.locksOfAll(filter), locksHere: () => from.locks(filter) };
}

/** The first signal that came, if one came. */
interface Interruption {
  readonly first: EndSignal | null;
}

/**
 * Wait for what `ask` asks for. Throws a `Failure` that tells who was in the way,
 * or which signal came. A grant that beats the signal is returned: see `signals.first`.
 */
export async function waitFor(waiting: Waiting, signals: Interruption, ask: () => Promise<LockHandle>): Promise<LockHandle> {
  const explanation = new Explanation(waiting);
  try {
    return await ask();
  } catch (error) {
    if (signals.first !== null && isDlmError(error, 'DLM_CANCELLED')) throw interrupted(waiting.shown, signals);
    if (isDlmError(error, 'DLM_BUSY', 'DLM_TIMED_OUT')) throw gaveUp(waiting, error, await explanation.lastSight());
    throw error;
  } finally {
    explanation.end();
  }
}

/** The signal came, whether or not the grant did. */
export function interrupted(shown: string, signals: Interruption): Failure {
  const error = new DlmError('DLM_CANCELLED', `${signals.first} came while waiting for ${shown}`);
  return new Failure(error, bySignal(signals.first!));
}

/**
 * Tells whoever looks on what we wait for, once; and before that, if the node does
 * not even take our request, for whom. That it cannot be found out is no reason to
 * stop waiting.
 */
class Explanation {
  readonly #waiting: Waiting;
  #timer: NodeJS.Timeout;
  #isOver = false;
  /** What was said of what keeps the node from taking requests. */
  #told = '';
  readonly #lastTimer: NodeJS.Timeout | null;
  #last: Promise<Sight> | null = null;

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
    this.#timer = setTimeout(() => void this.#explain(), silenceMillis);
    const { timeout } = limitsOf(waiting.patience);
    this.#lastTimer = timeout === undefined || timeout > timerMax ? null : setTimeout(() => void this.lastSight(), timeout);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#lastTimer !== null) clearTimeout(this.#lastTimer);
  }

  /** How things stand when patience is at its end: looked for while it is found out whether the lock was granted before. */
  lastSight(): Promise<Sight> {
    this.#last ??= lookBriefly(this.#waiting);
    return this.#last;
  }

  async #explain(): Promise<void> {
    const { mode, shown, note } = this.#waiting;
    const { locks, mine, obstacle, silent, node } = await look(this.#waiting);
    if (this.#isOver) return;
    if (obstacle.length > 0) {
      this.#tell(`waiting for ${mode} on ${shown}: ${[...obstacle, ...silent].join('\n  ')}`);
      this.#lookAgain(() => this.#explain());
    } else if (mine !== null) {
      const lines = linesOf(this.#waiting, blockersOf(locks, { mode, mine }), node);
      const place = describePlace(locks, mine);
      note([`waiting for ${mode} on ${shown}${place === '' ? '' : `, ${place}`}`, ...lines, ...silent].join('\n  '));
      this.#told = silent.join();
      this.#lookAgain(() => this.#watchMembers());
    } else {
      // Nobody has said yet who decides; whoever cannot be reached may be the one.
      if (silent.length > 0) this.#tell([`waiting for ${mode} on ${shown}, and for word of who decides about it`, ...silent].join('\n  '));
      this.#lookAgain(() => this.#explain());
    }
  }

  /** That a member cannot be reached any more may be found only when we have waited for a while. */
  async #watchMembers(): Promise<void> {
    const { mode, shown, lockspace, status } = this.#waiting;
    const silent = describeSilent(await within(lookMillis, status()), lockspace);
    if (this.#isOver) return;
    if (silent.length > 0 && silent.join() !== this.#told) this.#tell([`still waiting for ${mode} on ${shown}`, ...silent].join('\n  '));
    this.#told = silent.join();
    this.#lookAgain(() => this.#watchMembers());
  }

  #tell(words: string): void {
    const news = newsIn(words);
    if (news !== this.#told) this.#waiting.note(words);
    this.#told = news;
  }

  #lookAgain(how: () => Promise<void>): void {
    this.#timer = setTimeout(() => void how(), silenceMillis);
  }
}

function gaveUp(waiting: Waiting, error: DlmError, sight: Sight): Failure {
  const { patience, mode, isQuiet } = waiting;
  const { locks, mine, survivors, obstacle, silent, node, isMember } = sight;
  const { mustNotWait } = limitsOf(patience);
  const code = mustNotWait ? 'DLM_BUSY' : error.code;
  const unanswered = error instanceof Unanswered || code !== error.code ? whoIsSilent(sight) : null;
  const inTheWay = blockersOf(locks, { mode, mine });
  const isUnknown = inTheWay.length === 0 && isMember && silent.length === 0 && unanswered === null;
  const exit = patience['conflict-exit-code'];
  return new Failure(new DlmError(code, sentence(waiting, unanswered), hintFor(waiting, code, sight, unanswered?.nodes ?? [])), {
    details: [...(unanswered === null ? [] : describeUndecided(waiting, mine)), ...(obstacle.length > 0 ? obstacle : isUnknown ? [elsewhere] : linesOf(waiting, inTheWay, node)), ...silent],
    facts: { holders: inTheWay, ...(survivors.length > 0 ? { waitingFor: survivors } : {}) },
    isSilent: isQuiet,
    ...(exit === undefined ? {} : { exit }),
  });
}

/** A new lock is taken back, whatever is answered later; a conversion was asked of a lock that stays. */
function describeUndecided({ mode: wanted }: Waiting, mine: LockInfo | null): string[] {
  const held = mine?.mode ?? null;
  if (held === null) return [];
  if (goesBack(held, wanted)) return [`the lock holds ${held}; should it be converted all the same when that is answered, it goes back to ${held}`];
  return [`until that is answered the lock holds ${held}; whether it was converted is known then: see dlm locks`];
}

/** What to do next; undefined: what the catalogue says. */
function hintFor({ shown, lockspace }: Waiting, code: ErrorCode, { survivors, obstacle, isMember, isRefused }: Sight, silent: readonly number[]): string | undefined {
  if (!isMember || survivors.length > 0) return undefined;
  if (isRefused && (obstacle.length > 0 || silent.length > 0)) return keyHint;
  if (obstacle.length > 0) return 'see what it waits for with: dlm recover status';
  // Which of several it is nobody knows here; to end the wrong one would be no help.
  if (silent.length > 1) return 'see which of them is stopped, and let it go on: dlm members';
  if (silent.length === 1) return `let node ${silent[0]} go on; if it must be ended: dlm recover run --node ${silent[0]} --force`;
  const see = `see who holds it with: ${locksEverywhere(shown, lockspace)}`;
  return code === 'DLM_BUSY' ? `wait for it with -w SECONDS, or ${see}` : see;
}

/** Whose answer is missing, as far as that is known. */
interface Silent {
  readonly nodes: readonly number[];
  readonly words: string | null;
}

/** Null: all who may have to decide have answered us meanwhile. */
function whoIsSilent({ locks, mine, suspects, isOfAll, node, isMember }: Sight): Silent | null {
  if (isOfAll) return null;
  // That our own node is silent is said already.
  if (node === null) return { nodes: [], words: null };
  if (!isMember) return { nodes: [], words: 'nobody has answered' };
  const master = mine?.master ?? locks.find((lock) => lock.master !== null)?.master ?? null;
  if (master !== null && master !== node) return { nodes: [master], words: `node ${master}, which decides about it, does not answer` };
  if (suspects.length === 0) return { nodes: [], words: 'nobody has answered' };
  const words = suspects.length === 1 ? `node ${suspects[0]}, which may decide about it, does not answer` : `node ${suspects.join(' and ')}, one of which may decide about it, do not answer`;
  return { nodes: suspects, words };
}

function linesOf({ caller, takerOf }: Waiting, inTheWay: readonly LockInfo[], node: number | null): string[] {
  return [...describeLocks(inTheWay), ...(caller === undefined || node === null ? [] : describeAncestors(inTheWay, { pid: caller, node, takerOf }))];
}

function sentence({ shown, mode, patience }: Pick<Waiting, 'shown' | 'mode' | 'patience'>, unanswered: Silent | null): string {
  const { mustNotWait } = limitsOf(patience);
  if (mustNotWait && unanswered === null) return `${shown} is busy: ${mode} cannot be granted now`;
  const when = mustNotWait ? 'at once' : `within ${formatLimit(patience.wait ?? 0)}`;
  const words = unanswered?.words ?? null;
  return `${mode} on ${shown} was not granted ${when}${words === null ? '' : `: ${words}`}`;
}

const elsewhere = 'who is in the way is known to the node that decides about it: see dlm locks there';

interface Sight {
  readonly locks: LockInfo[];
  readonly mine: LockInfo | null;
  readonly survivors: readonly HolderInfo[];
  /** Why nobody is granted anything; nothing if somebody may be. */
  readonly obstacle: readonly string[];
  /** Members that cannot be reached. */
  readonly silent: readonly string[];
  /** Is the handshake with one of them refused, because of a key? */
  readonly isRefused: boolean;
  /** Members whose answer may be missing. */
  readonly suspects: readonly number[];
  /** All members have told what they know, or said that they do not. */
  readonly isOfAll: boolean;
  /** Ours, as far as it is known. */
  readonly node: number | null;
  /** Others than this node may decide about the resource, and know more. */
  readonly isMember: boolean;
}

function look(waiting: Waiting): Promise<Sight> {
  return lookAt(waiting, waiting.locks);
}

/** A node that does not answer shows nothing, and is not waited for. */
async function lookAt({ status: ask, lockspace, isMine }: Waiting, list: () => Promise<LocksOfAll>): Promise<Sight> {
  const [told, status] = await Promise.all([within(lookMillis, list()), within(lookMillis, ask())]);
  const locks = told?.locks ?? [];
  // While there are survivors nobody holds or waits for anything.
  const survivors = locks.length > 0 ? [] : (status?.waitingFor ?? []);
  const obstacle = survivors.length > 0 ? describeSurvivors(survivors) : [...describeStop(status, lockspace), ...describeSuspension(status, lockspace)];
  return {
    locks,
    mine: locks.findLast(isMine) ?? null,
    survivors,
    obstacle,
    silent: describeSilent(status, lockspace),
    isRefused: hasOtherKey(status, lockspace),
    suspects: suspectsOf(status, lockspace),
    isOfAll: told !== null && !told.unlisted.some(({ why }) => why === 'silent'),
    node: status?.node ?? null,
    isMember: (status?.cluster ?? null) !== null,
  };
}

const nothingSeen: Sight = { locks: [], mine: null, survivors: [], obstacle: [], silent: describeSilent(null, ''), isRefused: false, suspects: [], isOfAll: false, node: null, isMember: false };

/** Of whoever is silent nobody waits for a word any more, be it our own node. */
async function lookBriefly(waiting: Waiting): Promise<Sight> {
  const all = await within(lastWordsMillis, look(waiting));
  if (all !== null) return all;
  const ofThisNode = async (): Promise<LocksOfAll> => ({ locks: [...(await waiting.locksHere())], unlisted: [{ node: 0, why: 'silent' }] });
  return (await within(lastWordsMillis, lookAt(waiting, ofThisNode))) ?? nothingSeen;
}
