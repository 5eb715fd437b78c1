/**
 * Waiting for a grant, in front of a person or a script.
 *
 * After a second the waiter says who is in the way; when it gives up, it says so
 * again. A signal takes the request back. Whether the grant or the end of
 * patience came first is decided by the node, so that there is one outcome.
 */
import { DlmError, type HolderInfo, type LockHandle, type LockInfo, type LocksOfAll, type ModeName, type NodeStatus } from '../core/index.js';
import { blockersOf, describeLocks, locksEverywhere, describePlace, describeSurvivors } from './describe.js';
import { describeSilent, describeStop, describeSuspension } from './describe-status.js';
import { formatLimit } from './durations.js';
import { describeAncestors } from './own-ancestors.js';
import { Failure, isDlmError } from './report.js';
import { bySignal, type EndSignal } from './signals.js';

/** How long nobody needs to be told that we wait. */
const silenceMillis = 1000;
/** How long the node may take to tell what is to be seen: it asks the others, and waits a second for them. */
const lookMillis = 2000;

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
  readonly lockspace: string;
  /** The node's: what an earlier one protected and still runs, or a recovery, may keep it from taking any request. */
  readonly status: () => Promise<NodeStatus>;
  readonly shown: string;
  readonly mode: ModeName;
  /** Which of the locks on the resource is the one that waits? */
  readonly isMine: (lock: LockInfo) => boolean;
  /** Who waits, if that is a process which may have the lock itself. */
  readonly caller?: number;
  readonly patience: Patience;
  readonly isQuiet: boolean;
  readonly note: (words: string) => void;
}

/** Nobody has said whether the lock can be granted now, and waiting was not wanted. */
export class Unanswered extends DlmError {
  constructor(millis: number) {
    super('DLM_BUSY', `nobody has answered for ${millis / 1000} s`);
  }
}

/** What a request says of its patience: -w 0 tries once and does not wait, as -n. */
export function limitsOf({ nonblock, wait, since }: Patience): { mustNotWait: boolean; timeout?: number } {
  if (nonblock || wait === 0) return { mustNotWait: true };
  if (wait === undefined) return { mustNotWait: false };
  const passed = since === undefined ? 0 : performance.now() - since;
  return { mustNotWait: false, timeout: Math.max(1, wait - passed) };
}

/** The first signal that came, if one came. */
export interface Interruption {
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
    if (isDlmError(error, 'DLM_BUSY', 'DLM_TIMED_OUT')) throw await gaveUp(waiting, error);
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

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
    this.#timer = setTimeout(() => void this.#explain(), silenceMillis);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #explain(): Promise<void> {
    const { mode, shown, note } = this.#waiting;
    const { locks, mine, obstacle, silent, node } = await look(this.#waiting);
    if (this.#isOver) return;
    if (obstacle.length > 0) {
      this.#tell(`waiting for ${mode} on ${shown}: ${obstacle.join('\n  ')}`);
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
    const silent = silentIn(await soon(status()), lockspace);
    if (this.#isOver) return;
    if (silent.length > 0 && silent.join() !== this.#told) this.#tell([`still waiting for ${mode} on ${shown}`, ...silent].join('\n  '));
    this.#told = silent.join();
    this.#lookAgain(() => this.#watchMembers());
  }

  /** That there was one more attempt in vain is no news to somebody who waits. */
  #tell(words: string): void {
    const news = words.replace(/\d+ attempts?/g, 'attempts');
    if (news !== this.#told) this.#waiting.note(words);
    this.#told = news;
  }

  #lookAgain(how: () => Promise<void>): void {
    this.#timer = setTimeout(() => void how(), silenceMillis);
  }
}

async function gaveUp(waiting: Waiting, error: DlmError): Promise<Failure> {
  const sight = await look(waiting);
  const { locks, mine, survivors, obstacle, silent, node, isMember } = sight;
  const unanswered = error instanceof Unanswered ? whoIsSilent(sight) : null;
  const inTheWay = blockersOf(locks, { mode: waiting.mode, mine });
  const isUnknown = inTheWay.length === 0 && isMember && silent.length === 0 && unanswered === null;
  const exit = waiting.patience['conflict-exit-code'];
  const words = unanswered === null ? sentence(waiting, error) : `${waiting.mode} on ${waiting.shown} was not granted at once: ${unanswered.words ?? error.message}`;
  return new Failure(new DlmError(error.code, words, hintFor(waiting, error, sight, unanswered?.node ?? null)), {
    details: [...(unanswered === null ? [] : describeUndecided(mine)), ...(obstacle.length > 0 ? obstacle : isUnknown ? [elsewhere] : linesOf(waiting, inTheWay, node)), ...silent],
    facts: { holders: inTheWay, ...(survivors.length > 0 ? { waitingFor: survivors } : {}) },
    isSilent: waiting.isQuiet,
    ...(exit === undefined ? {} : { exit }),
  });
}

/** A request is taken back, whatever is answered later; a conversion cannot be. */
function describeUndecided(mine: LockInfo | null): string[] {
  if (mine === null || mine.mode === null) return [];
  return [`until it answers the lock holds ${mine.mode}; whether it was converted is known then: see dlm locks`];
}

/** What to do next; undefined: what the catalogue says. */
function hintFor({ shown, lockspace }: Waiting, { code }: DlmError, { survivors, obstacle, isMember }: Sight, silent: number | null): string | undefined {
  if (!isMember || survivors.length > 0) return undefined;
  if (obstacle.length > 0) return 'see what it waits for with: dlm recover status';
  if (silent !== null) return `let node ${silent} go on; if it must be ended: dlm recover run --node ${silent} --force`;
  const see = `see who holds it with: ${locksEverywhere(shown, lockspace)}`;
  return code === 'DLM_BUSY' ? `wait for it with -w SECONDS, or ${see}` : see;
}

/** Whose answer is missing, as far as that is known. */
function whoIsSilent({ locks, mine, unlisted }: Sight): { node: number | null; words: string | null } {
  const silent = unlisted.filter(({ why }) => why === 'silent').map(({ node }) => node);
  const master = mine?.master ?? locks.find((lock) => lock.master !== null)?.master ?? null;
  if (master !== null && silent.includes(master)) return { node: master, words: `node ${master}, which decides about it, does not answer` };
  if (silent.length === 0) return { node: null, words: null };
  return { node: silent[0]!, words: `node ${silent.join(' and ')}, which may decide about it, does not answer` };
}

function linesOf({ caller }: Waiting, inTheWay: readonly LockInfo[], node: number | null): string[] {
  return [...describeLocks(inTheWay), ...(caller === undefined || node === null ? [] : describeAncestors(inTheWay, { pid: caller, node }))];
}

function sentence({ shown, mode, patience }: Waiting, error: DlmError): string {
  if (error.code === 'DLM_BUSY') return `${shown} is busy: ${mode} cannot be granted now`;
  return `${mode} on ${shown} was not granted within ${formatLimit(patience.wait ?? 0)}`;
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
  /** Members that have not told what they know. */
  readonly unlisted: LocksOfAll['unlisted'];
  /** Ours, as far as it is known. */
  readonly node: number | null;
  /** Others than this node may decide about the resource, and know more. */
  readonly isMember: boolean;
}

/** A node that does not answer shows nothing, and is not waited for. */
async function look(waiting: Waiting): Promise<Sight> {
  const [told, status] = await Promise.all([soon(waiting.locks()), soon(waiting.status())]);
  const { locks, unlisted } = told ?? { locks: [], unlisted: [] };
  // While there are survivors nobody holds or waits for anything.
  const survivors = locks.length > 0 ? [] : (status?.waitingFor ?? []);
  const obstacle = survivors.length > 0 ? describeSurvivors(survivors) : [...describeStop(status, waiting.lockspace), ...describeSuspension(status, waiting.lockspace)];
  return { locks, unlisted, mine: locks.findLast(waiting.isMine) ?? null, survivors, obstacle, silent: silentIn(status, waiting.lockspace), node: status?.node ?? null, isMember: (status?.cluster ?? null) !== null };
}

/** Who does not answer; `status` null: not even our own node. */
function silentIn(status: NodeStatus | null, lockspace: string): string[] {
  return status === null ? ['the node here does not answer'] : describeSilent(status, lockspace);
}

/** Null: it could not be found out in time. */
function soon<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), lookMillis);
    answer.then(resolve, () => resolve(null)).finally(() => clearTimeout(timer));
  });
}
