/**
 * An application in front of people: a line for each thing that it was told or has done,
 * and its end in good order.
 *
 * The first signal has it suspend and leave; while locks are held in the lockspace it
 * waits, suspended. A second one ends it at once, as if it had died: then others put in
 * order what it leaves behind.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { attachApplication, DlmError, type ApplicationHandle, type ApplicationEvent, type NodeClient, type RecoverTask, type ResumeEvent, type SuspendEvent } from '../core/index.js';
import { AppHooks } from './app-hooks.js';
import { Failure, isDlmError } from './report.js';
import { bySignal, SignalWatch } from './signals.js';

export interface AppTerms {
  readonly lockspace: string;
  readonly onSuspend: string;
  readonly onRecover: string;
  readonly onResume: string;
  readonly suspendMillis: number;
  /** Null: as long as it takes. */
  readonly recoverMillis: number | null;
  readonly order: string | undefined;
  readonly handOn: readonly string[];
}

/** What is said: a line of words, or a document. */
export interface AppTelling {
  say(words: string, document: object): void;
  warn(words: string): void;
}

/** How often it is tried again to leave a lockspace that has locks. */
const againMillis = 100;

export class AppSession {
  readonly #client: NodeClient;
  readonly #terms: AppTerms;
  readonly #telling: AppTelling;
  readonly #hooks: AppHooks;
  readonly #lost: Promise<DlmError>;
  #tellLost: (reason: DlmError) => void = () => undefined;

  constructor(client: NodeClient, terms: AppTerms, telling: AppTelling) {
    this.#client = client;
    this.#terms = terms;
    this.#telling = telling;
    this.#hooks = new AppHooks({ handOn: terms.handOn, protect: (pid) => client.port.protect(pid) });
    this.#lost = new Promise((resolve) => (this.#tellLost = resolve));
  }

  /** Until a signal comes, or the node is lost, which is an error. */
  async run(signals: SignalWatch): Promise<void> {
    const { lockspace, suspendMillis, order } = this.#terms;
    const application = await attachApplication(
      this.#client.port,
      lockspace,
      {
        onSuspend: (event) => this.#suspend(event),
        onRecover: (task) => this.#recover(task),
        onResume: (event) => this.#resume(event),
        // What the hooks have left running belongs to an application that is about to be none.
        onDetach: () => this.#hooks.end(),
        onLost: (reason) => this.#tellLost(reason),
        onTrouble: (what, error) => this.#telling.warn(`--on-${what} ${error instanceof Error ? error.message : String(error)}; ${consequences[what]}`),
      },
      { suspendMillis, isClient: false, ...(order === undefined ? {} : { order }) },
    );
    this.#telling.say(`attached to lockspace ${lockspace}`, { event: 'attached', lockspace, node: this.#client.port.node });
    const signalled = once(signals.aborted);
    const end = await Promise.race([signalled, this.#lost]);
    if (end === null) await this.#leave(application, signals);
    else await this.#giveUp(end);
  }

  /** In good order, unless a second signal comes or the node is lost. */
  async #leave(application: ApplicationHandle, signals: SignalWatch): Promise<void> {
    const impatience = new AbortController();
    signals.listener = () => impatience.abort();
    const left = await Promise.race([this.#detach(application, impatience.signal), once(impatience.signal), this.#lost]);
    if (left === 'left') this.#telling.say(`left lockspace ${this.#terms.lockspace}`, { event: 'left', lockspace: this.#terms.lockspace });
    else if (left !== null) await this.#giveUp(left);
    else {
      await this.#hooks.end();
      throw new Failure(new DlmError('DLM_CANCELLED', 'the application was ended before it had left in good order; others put in order what it leaves behind'), {
        ...bySignal(signals.first!),
      });
    }
  }

  async #detach(application: ApplicationHandle, signal: AbortSignal): Promise<'left'> {
    for (let isTold = false; ; isTold = true) {
      try {
        await application.detach();
        return 'left';
      } catch (error) {
        if (!isDlmError(error, 'DLM_LOCKSPACE_IN_USE') || signal.aborted) throw error;
        if (!isTold) this.#telling.warn(`suspended; leaves when the last lock in lockspace ${this.#terms.lockspace} on this node has ended (see dlm locks); a second signal ends it at once`);
        await pause(againMillis);
      }
    }
  }

  async #giveUp(reason: DlmError): Promise<never> {
    await this.#hooks.end();
    if (reason.code === 'DLM_LOCKSPACE_EXISTS') throw reason;
    throw new DlmError('DLM_LOST', `the application of lockspace ${this.#terms.lockspace} has lost its node, and was ended: ${reason.message}`, 'start the node, then attach again; others put in order what it left behind');
  }

  async #suspend(event: SuspendEvent): Promise<void> {
    await this.#hooks.run(this.#terms.onSuspend, event);
    this.#telling.say(`suspended generation ${event.generation}`, plain(event, 'suspended'));
  }

  async #resume(event: ResumeEvent): Promise<void> {
    await this.#hooks.run(this.#terms.onResume, event);
    this.#telling.say(`resumed generation ${event.generation} slot ${event.slot}`, plain(event, 'resumed'));
  }

  async #recover(task: RecoverTask): Promise<void> {
    const what = task.failedSlot === null ? 'all slots' : `slot ${task.failedSlot} of node ${task.failedNode}`;
    this.#telling.say(`recover ${what} generation ${task.generation}`, plain(task, 'recover'));
    await this.#hooks.run(this.#terms.onRecover, task, this.#terms.recoverMillis);
    this.#telling.say(`recovered ${what}`, plain(task, 'recovered'));
  }
}

const consequences: Readonly<Record<ApplicationEvent['do'], string>> = {
  suspend: 'others must not wait for it, so this node gives up its place in the cluster',
  recover: 'another node is asked, or this one again',
  resume: 'nobody waits for it, and nothing is done about it',
};

/** Without what is secret, and without what is no data. */
function plain(event: SuspendEvent | ResumeEvent | RecoverTask, what: string): object {
  const { lockspace, generation, slot } = event;
  const failed = event.do === 'recover' ? { failedSlot: event.failedSlot, failedNode: event.failedNode, since: event.since } : {};
  return { event: what, lockspace, generation, slot, ...failed };
}

function once(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
