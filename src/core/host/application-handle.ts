/**
 * An application in the hands of a program: what its node asks of it becomes calls of the
 * program's own functions, one after another, and what they come to becomes the answer.
 *
 * The order is the node's: a suspension that comes while the last resumption goes on waits
 * for it. A function that fails to suspend costs the node its place (others must not wait
 * for ever), one that fails to recover has the work given to the next node; that one fails
 * to resume is the program's affair.
 */
import { DlmError } from '../base/errors.js';
import { LockspaceClient } from './lockspace-client.js';
import type { ApplicationEvent, ApplicationListener, Port, RecoverEvent, ResumeEvent, SuspendEvent } from './port.js';
import type { LockspaceSummary } from './types.js';

/** Work for a recovery, and the lockspace as it may be used meanwhile: also while applications are suspended. */
export interface RecoverTask extends Omit<RecoverEvent, 'recovery'> {
  readonly lockspace: string;
  readonly locks: LockspaceClient;
  /** For what is run on its behalf, as DLM_RECOVERY in its environment, and nowhere else. */
  readonly identity: string;
}

/** What an application can do; each has ended when its promise has. */
export interface ApplicationHooks {
  /** Touch the data no more. */
  onSuspend(event: SuspendEvent): Promise<void> | void;
  /** Put in order what a failed member has left behind, or all there is. May be asked again, here or elsewhere. */
  onRecover(task: RecoverTask): Promise<void> | void;
  /** The data may be touched. */
  onResume(event: ResumeEvent): Promise<void> | void;
  /** It has suspended and is about to leave: whatever of it still lives has to end. */
  onDetach?(): Promise<void> | void;
  /** The node is gone, or has given this application up: touch nothing any more, and end. */
  onLost?(reason: DlmError): void;
  /** One of these has failed, in words. */
  onTrouble?(what: ApplicationEvent['do'], error: unknown): void;
}

export interface ApplicationOptions {
  /** How long it may take to suspend before its node gives up its place in the cluster, in milliseconds; 30 s if not given. */
  readonly suspendMillis?: number;
  /** What follows a failure, and in which order; what the lockspace has if not given, or `gfs`. */
  readonly order?: string;
  /** Is this process itself the application, to be ended should it lose its node? True if not given. */
  readonly isClient?: boolean;
}

/** What the application is doing about its data. */
export type ApplicationState = 'suspended' | 'running' | 'detached' | 'lost';

const suspendMillisUsual = 30_000;

/** Without having joined the lockspace before, which would be without an application. Rejects as `LockspaceClient.attach`. */
export function attachApplication(port: Port, lockspace: string, hooks: ApplicationHooks, options: ApplicationOptions = {}): Promise<ApplicationHandle> {
  return ApplicationHandle.attach(port, lockspace, hooks, options);
}

export class ApplicationHandle implements ApplicationListener {
  readonly #port: Port;
  readonly #hooks: ApplicationHooks;
  #state: ApplicationState = 'suspended';
  #summary: LockspaceSummary | null = null;
  #last: ApplicationEvent | null = null;
  /** What has been asked, one after another. */
  #queue: Promise<void>;
  #begin: () => void = () => undefined;

  static async attach(port: Port, lockspace: string, hooks: ApplicationHooks, options: ApplicationOptions): Promise<ApplicationHandle> {
    const handle = new ApplicationHandle(port, lockspace, hooks);
    const { suspendMillis = suspendMillisUsual, order, isClient = true } = options;
    const terms = { suspendMillis, isClient, ...(order === undefined ? {} : { order }) };
    handle.#summary = await port.attachApplication(lockspace, terms, handle);
    setImmediate(handle.#begin);
    return handle;
  }

  private constructor(
    port: Port,
    readonly lockspace: string,
    hooks: ApplicationHooks,
  ) {
    this.#port = port;
    this.#hooks = hooks;
    // Nothing is done before whoever attaches knows that it has.
    this.#queue = new Promise((resolve) => (this.#begin = resolve));
  }

  get state(): ApplicationState {
    return this.#state;
  }

  hear(event: ApplicationEvent): void {
    this.#last = event;
    this.#queue = this.#queue.then(() => this.#carryOut(event));
  }

  lost(reason: DlmError): void {
    if (this.#state === 'detached' || this.#state === 'lost') return;
    this.#state = 'lost';
    this.#hooks.onLost?.(reason);
  }

  /**
   * Suspend, if it runs, and leave the lockspace in good order. Rejects with `DLM_LOCKSPACE_IN_USE` while locks are held
   * there; it is suspended then, and can be detached later.
   */
  detach(): Promise<void> {
    const detached = this.#queue.then(() => this.#detach());
    this.#queue = detached.catch(() => undefined);
    return detached;
  }

  async #detach(): Promise<void> {
    if (this.#state === 'detached') return;
    if (this.#state === 'running') {
      const { generation, slot } = this.#last!;
      await this.#hooks.onSuspend({ do: 'suspend', lockspace: this.lockspace, generation, slot });
      if (this.#state === 'running') this.#state = 'suspended';
    }
    await this.#hooks.onDetach?.();
    if (this.#state === 'lost') throw new DlmError('DLM_LOST', `the application of lockspace '${this.lockspace}' has lost its node`);
    await this.#port.detachApplication(this.lockspace);
    this.#state = 'detached';
  }

  async #carryOut(event: ApplicationEvent): Promise<void> {
    if (this.#state === 'detached' || this.#state === 'lost') return;
    const isDone = await this.#isDone(event);
    try {
      if (event.do === 'suspend') await this.#port.answerApplication(this.lockspace, { to: 'suspend', isDone });
      if (event.do === 'recover') {
        const { failedSlot: slot, since } = event;
        await this.#port.answerApplication(this.lockspace, { to: 'recover', slot, since, isDone });
      }
    } catch (error) {
      // Without a node there is nobody to answer, and that is told as its loss.
      if (!(error instanceof DlmError)) throw error;
    }
  }

  async #isDone(event: ApplicationEvent): Promise<boolean> {
    try {
      await this.#call(event);
      return true;
    } catch (error) {
      this.#hooks.onTrouble?.(event.do, error);
      return false;
    }
  }

  async #call(event: ApplicationEvent): Promise<void> {
    if (event.do === 'suspend') {
      // Already so: it was about to be detached, and locks are held.
      if (this.#state === 'running') await this.#hooks.onSuspend(event);
      this.#enter('suspended');
    } else if (event.do === 'resume') {
      this.#enter('running');
      await this.#hooks.onResume(event);
    } else {
      const { recovery, ...about } = event;
      const locks = new LockspaceClient(this.#port, this.lockspace, this.#summary!.valueLength, recovery);
      await this.#hooks.onRecover({ ...about, locks, identity: recovery });
    }
  }

  #enter(state: 'suspended' | 'running'): void {
    if (this.#state !== 'lost') this.#state = state;
  }
}
