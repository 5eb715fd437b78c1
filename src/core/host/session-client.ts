/**
 * The port to a node in another process: calls become lines, and lines become
 * callbacks in the order in which the node gave them.
 *
 * The node answers a request before it tells what became of it. Completions of a
 * lock that come before the answer to our own request on it belong to somebody
 * else's; they are kept until the answer shows what the listener is to make of
 * them.
 *
 * When the connection ends, everything that was held is lost and everything that
 * was asked fails, once.
 */
import type { Socket } from 'node:net';
import { DlmError } from '../base/errors.js';
import { lkid, type Lkid } from '../base/ids.js';
import { Flag, deafMark, namesOfFlags, readMark } from '../lock/flags.js';
import { isMode, nameOfMode, type Mode } from '../lock/mode.js';
import type { UnlockInput } from '../node/input.js';
import type { LineReader } from './line-reader.js';
import { askAgain } from './outcome.js';
import type { ApplicationAnswer, ApplicationEvent, ApplicationListener, ApplicationTerms, CancelWord, ConvertCall, Listener, LockCall, Port } from './port.js';
import { errorFrom } from './remote-error.js';
import { tell, type Event } from './session-events.js';
import type { Operation, Wording } from './session-protocol.js';
import { hexOf, hexOfBytes } from './text.js';
import type { LockFilter, LockInfo, LocksOfAll, LockspaceContent, LockspaceOptions, LockspaceSummary, NodeStatus, ShellDoor, WatchedProcess } from './types.js';
import { nameToCore } from './wish.js';

/** How long the node may take to let our locks end. */
const farewellMillis = 2_000;

/** The number of the first request of a session. */
export const firstCall = 1;

/** How a connection may end. */
const ends = ['end', 'error', 'close'] as const;

/** Somebody who waits for the answer to a request. */
interface Call {
  answer(result: unknown): void;
  fail(error: DlmError): void;
}

/** Those who hear of a lock; the first is the one that asked for it, if we did. */
class Known {
  readonly listeners: Listener[] = [];
  wasGranted = false;
}

interface Answer {
  readonly id: number | null;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

/** What an application is told. */
type OfApplication =
  | (ApplicationEvent & { readonly event: 'application' })
  | { readonly event: 'applicationLost'; readonly lockspace: string; readonly code: string; readonly message: string; readonly hint: string };

export class SessionPort implements Port {
  readonly #socket: Socket;
  readonly #reader: LineReader;
  readonly #calls = new Map<number, Call>();
  readonly #known = new Map<Lkid, Known>();
  readonly #applications = new Map<string, ApplicationListener>();
  /** Requests for locks whose answer has not come yet. */
  readonly #asking = new Map<Listener, number>();
  /** Requests to change a lock whose answer has not come yet, and what came before it. */
  readonly #changing = new Map<Listener, Event[]>();
  #lastCall = firstCall - 1;
  /** A lockspace that was asked for with the greeting, and its answer; until somebody wants it. */
  #joining: { readonly lockspace: string; readonly answer: Promise<LockspaceSummary> } | null = null;
  /** Why there is no connection any more. */
  #gone: DlmError | null = null;
  /** Why it will end, if we know. */
  #goodbye: DlmError | null = null;
  #onceGone: (() => void)[] = [];
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onEnd = (): void => this.#end();

  /** `socket` has been greeted, and asked to join a lockspace if one is named; `reader` may have read further. */
  constructor(
    socket: Socket,
    reader: LineReader,
    readonly node: number,
    readonly incarnation: number,
    joining: string | null,
  ) {
    this.#socket = socket;
    this.#reader = reader;
    socket.on('data', this.#onData);
    for (const end of ends) socket.on(end, this.#onEnd);
    if (joining === null) return;
    const answer = new Promise<LockspaceSummary>((resolve, reject) => {
      this.#call({ answer: (result) => resolve(result as LockspaceSummary), fail: reject });
    });
    answer.catch(() => undefined);
    this.#joining = { lockspace: joining, answer };
    process.nextTick(() => this.#goOn());
  }

  lock(call: LockCall, owner: WatchedProcess | null): void {
    const listener = call.cookie;
    const id = this.#call({
      answer: (result) => {
        this.#asking.delete(listener);
        this.#knownAs(lkid((result as { lkid: number }).lkid)).listeners.unshift(listener);
      },
      fail: (error) => {
        this.#asking.delete(listener);
        listener.refuse(error);
      },
    });
    this.#asking.set(listener, id);
    this.#send(id, 'lock', {
      lockspace: call.lockspace,
      ...nameWords(call.name),
      mode: modeWord(call.mode),
      ...recoveryWord(call),
      ...wishWords(call),
      ...((call.flags & deafMark) === 0 ? {} : { blocking: false }),
      ...(owner === null ? {} : { owner: { pid: owner.pid } }),
    });
  }

  convert(call: ConvertCall, listener: Listener): void {
    const id = this.#change(listener);
    const { lockspace, lkid, mode } = call;
    this.#send(id, 'convert', { lockspace, lkid, mode: modeWord(mode), ...recoveryWord(call), ...wishWords(call) });
  }

  unlock(call: UnlockInput, listener: Listener): void {
    const id = this.#change(listener);
    const { lockspace, lkid } = call;
    this.#send(id, 'unlock', { lockspace, lkid, ...wishWords(call) });
  }

  attend(lkid: Lkid, listener: Listener): void {
    const known = this.#knownAs(lkid);
    known.wasGranted = true;
    known.listeners.push(listener);
  }

  async cancel(lockspace: string, lkid: Lkid, listener: Listener, how?: CancelWord): Promise<boolean> {
    const request = this.#asking.get(listener);
    const which = request === undefined ? { lkid } : { request };
    return (await this.#ask<{ cancelled: boolean }>('cancel', { lockspace, ...which, ...(how === undefined ? {} : { [how]: true }) })).cancelled;
  }

  async protect(pid: number): Promise<void> {
    await this.#ask('protect', { pid });
  }

  joinLockspace(lockspace: string, options: LockspaceOptions): Promise<LockspaceSummary> {
    const joining = this.#joining;
    this.#joining = null;
    if (joining?.lockspace === lockspace && Object.keys(options).length === 0) return joining.answer;
    return this.#ask('joinLockspace', { lockspace, ...options });
  }

  async removeLockspace(lockspace: string, force: boolean): Promise<void> {
    await this.#ask('removeLockspace', { lockspace, force });
  }

  async attachApplication(lockspace: string, terms: ApplicationTerms, listener: ApplicationListener): Promise<LockspaceSummary> {
    // Events may come in one piece with the answer.
    const known = this.#applications.get(lockspace);
    if (known === undefined) this.#applications.set(lockspace, listener);
    try {
      return await this.#ask<LockspaceSummary>('attachApplication', { lockspace, ...terms });
    } catch (error) {
      if (known === undefined) this.#applications.delete(lockspace);
      throw error;
    }
  }

  async answerApplication(lockspace: string, answer: ApplicationAnswer): Promise<void> {
    await this.#ask('answerApplication', { lockspace, ...answer });
  }

  async detachApplication(lockspace: string): Promise<void> {
    await this.#ask('detachApplication', { lockspace });
    this.#applications.delete(lockspace);
  }

  content(lockspace: string): Promise<LockspaceContent> {
    return this.#ask('content', { lockspace });
  }

  locks(filter: LockFilter): Promise<LockInfo[]> {
    return this.#ask('locks', { ...filterWords(filter), allNodes: filter.allNodes ?? false });
  }

  locksOfAll(filter: LockFilter): Promise<LocksOfAll> {
    return this.#ask('locks', { ...filterWords(filter), allNodes: true, tellUnlisted: true });
  }

  async purgeOrphans(lockspace: string, formerPid: number | null): Promise<number> {
    return (await this.#ask<{ purged: number }>('purgeOrphans', { lockspace, formerPid })).purged;
  }

  status(lockspace?: string): Promise<NodeStatus> {
    return this.#ask('status', lockspace === undefined ? {} : { lockspace });
  }

  async awaitChange(seen: number | null): Promise<number> {
    return (await this.#ask<{ changes: number }>('awaitChange', { seen })).changes;
  }

  openShell(lockspace: string): Promise<ShellDoor> {
    return this.#ask('openShell', { lockspace });
  }

  /** Returns when the node is gone. */
  async leave(options: { force: boolean; drain: boolean }): Promise<void> {
    await this.#ask('leave', options);
    this.#goodbye ??= new DlmError('DLM_LOST', 'the node has left, as this client asked');
    if (this.#gone === null) await new Promise<void>((resolve) => this.#onceGone.push(resolve));
  }

  /** The connection itself, greeted and with nothing asked yet, for somebody who speaks its language. */
  handOver(): Socket {
    this.#gone = new DlmError('DLM_NO_NODE', 'the connection is in other hands');
    this.#socket.pause().off('data', this.#onData);
    for (const end of ends) this.#socket.off(end, this.#onEnd);
    return this.#socket;
  }

  /** Returns when our locks have ended. */
  async close(): Promise<void> {
    if (this.#gone !== null) return;
    const hasNothing = this.#known.size === 0 && this.#calls.size === 0;
    const ended = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    const impatience = setTimeout(() => this.#socket.destroy(), farewellMillis);
    this.#lose(new DlmError('DLM_LOST', 'this client let go of the node'));
    this.#gone = new DlmError('DLM_NO_NODE', 'this client has let go of the node', 'attach again');
    if (hasNothing) this.#socket.destroy();
    else this.#socket.end();
    await ended;
    clearTimeout(impatience);
  }

  #ask<Result>(op: Operation, words: object): Promise<Result> {
    return new Promise((resolve, reject) => {
      const call = { answer: (result: unknown) => resolve(result as Result), fail: reject };
      this.#send(this.#call(call), op, words);
    });
  }

  #call(call: Call): number {
    this.#lastCall += 1;
    this.#calls.set(this.#lastCall, call);
    return this.#lastCall;
  }

  /** A change of a lock that we know. */
  #change(listener: Listener): number {
    const cameBefore: Event[] = [];
    this.#changing.set(listener, cameBefore);
    return this.#call({
      answer: () => {
        this.#changing.delete(listener);
      },
      fail: (error) => {
        this.#changing.delete(listener);
        listener.refuse(error);
        for (const event of cameBefore) tell(listener, event);
      },
    });
  }

  #send<Op extends Operation>(id: number, op: Op, words: Wording<Op>): void {
    if (this.#gone === null) {
      this.#socket.write(`${JSON.stringify({ id, op, ...words })}\n`);
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    call?.fail(this.#gone);
  }

  #read(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#goOn();
  }

  #goOn(): void {
    for (let line = this.#reader.next(); line !== null && this.#gone === null; line = this.#reader.next()) {
      const message = messageIn(line);
      if (message === null) return this.#giveUp();
      if ('event' in message) this.#hear(message);
      else this.#settle(message);
    }
  }

  /** What the node says makes no sense, so nothing it has said can be relied on. */
  #giveUp(): void {
    this.#goodbye = new DlmError('DLM_LOST', 'the node has sent a line that makes no sense');
    this.#end();
  }

  #settle({ id, result, error }: Answer): void {
    if (id === null) {
      this.#goodbye = errorFrom(error);
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.answer(result);
    else call?.fail(errorFrom(error));
  }

  #hear(event: Event | OfApplication): void {
    if (event.event === 'application') return this.#applications.get(event.lockspace)?.hear(event);
    if (event.event === 'applicationLost') return this.#applications.get(event.lockspace)?.lost(errorFrom(event));
    const known = this.#known.get(lkid(event.lkid));
    if (known === undefined) return;
    if (event.event === 'blocking') return tell(known.listeners[0]!, event);
    const isGone = event.event === 'lost' || (event.event === 'complete' && event.mode === null);
    if (isGone) this.#known.delete(lkid(event.lkid));
    else if (event.event !== 'waiting') known.wasGranted = true;
    for (const listener of known.listeners) {
      const before = this.#changing.get(listener);
      if (before === undefined) tell(listener, event);
      else before.push(event);
    }
  }

  #knownAs(id: Lkid): Known {
    const known = this.#known.get(id) ?? new Known();
    this.#known.set(id, known);
    return known;
  }

  /** The connection has ended, not by our doing. */
  #end(): void {
    if (this.#gone === null) {
      const { code, message } = this.#goodbye ?? { code: 'DLM_LOST', message: 'the connection to the node has ended' };
      this.#gone = new DlmError('DLM_NO_NODE', message, askAgain);
      this.#lose(code === 'DLM_LOST' ? new DlmError('DLM_LOST', message) : this.#goodbye!);
    }
    this.#socket.on('error', () => undefined).destroy();
    for (const callback of this.#onceGone.splice(0)) callback();
  }

  /** Everything held is lost, everything asked fails. */
  #lose(reason: DlmError): void {
    const calls = [...this.#calls.values()];
    const known = [...this.#known.values()];
    this.#calls.clear();
    this.#known.clear();
    const applications = [...this.#applications.values()];
    this.#applications.clear();
    const unheard = new DlmError('DLM_NO_NODE', reason.message, askAgain);
    for (const call of calls) call.fail(unheard);
    for (const application of applications) application.lost(reason);
    for (const { listeners, wasGranted } of known) {
      for (const listener of listeners) listener.lost(wasGranted ? reason : unheard);
    }
  }
}

function messageIn(line: Buffer): Answer | Event | OfApplication | null {
  try {
    return JSON.parse(line.toString('utf8')) as Answer | Event | OfApplication;
  } catch {
    return null;
  }
}

/** A name as text where it is text, and as hex where it is not. */
function nameWords(core: string): { name: string } | { nameHex: string } {
  return /^[\x20-\x7e]*$/.test(core) ? { name: core } : { nameHex: hexOf(core) };
}

/** What is no mode is refused by the node, by the law's own rule. */
function modeWord(mode: Mode): string {
  return isMode(mode) ? nameOfMode(mode) : String(mode);
}

function recoveryWord({ recovery }: { readonly recovery?: string | undefined }): object {
  return recovery === undefined ? {} : { recovery };
}

function wishWords({ flags, value }: { readonly flags: number; readonly value: Uint8Array | null }): object {
  const names = namesOfFlags(flags & ~Flag.CONVERT);
  return {
    ...(names.length === 0 ? {} : { flags: names }),
    ...(value === null || (flags & readMark) !== 0 ? {} : { valueHex: hexOfBytes(value) }),
  };
}

function filterWords({ lockspace, name, orphansOnly }: LockFilter): Record<string, unknown> {
  return { lockspace: lockspace ?? null, ...(name === undefined ? {} : nameWords(nameToCore(name))), orphansOnly: orphansOnly ?? false };
}
