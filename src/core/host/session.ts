/**
 * One session of the node: a connection that owns locks.
 *
 * Lines come in and are carried out one after another; each gets its answer, and
 * the events that it caused follow the answer. When the connection ends, in
 * whatever way, its locks end too, once its protected children are gone.
 *
 * A client that does not read is stopped from asking for more; if events pile up
 * for it all the same it is cut off.
 */
import type { Duplex } from 'node:stream';
import { DlmError } from '../base/errors.js';
import { LineReader } from './line-reader.js';
import { shorten } from './process-facts.js';
import { LineRefused, lineMax, parseRequest, protocolVersion, type Request } from './session-protocol.js';
import { SessionLocks } from './session-locks.js';
import { answer } from './session-answers.js';
import type { Served } from './served.js';

/** How long a connection may stay silent before it says hello. */
const helloMillis = 5_000;
/** Events that a client may leave unread, in bytes. */
const unreadMax = 1 << 20;
/** How long a client may take to read what was said last. */
const farewellMillis = 1_000;

export class Session {
  readonly #at: Served;
  readonly #socket: Duplex;
  readonly #reader = new LineReader(lineMax);
  readonly #onEnd: (session: Session) => void;
  readonly #helloTimer: NodeJS.Timeout;
  readonly #gone = new AbortController();
  /** Null until the client has said hello. */
  #locks: SessionLocks | null = null;
  /** Events that wait until the answer to the request that caused them is out. */
  #heldBack: string[] | null = null;
  /** Bytes of events that the client has not taken yet. */
  #unread = 0;

  constructor(at: Served, socket: Duplex, onEnd: (session: Session) => void) {
    this.#at = at;
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#helloTimer = setTimeout(() => this.#fail('the client has not said hello in time'), helloMillis);
    this.#helloTimer.unref();

    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.end());
    socket.on('error', () => this.end());
    socket.on('close', () => this.end());
  }

  get hasEnded(): boolean {
    return this.#gone.signal.aborted;
  }

  /** Aborted when the session ends. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get incarnation(): number {
    return this.#at.host.incarnation;
  }

  /** Bytes have come. */
  read(chunk: Buffer): void {
    if (this.hasEnded) return;
    this.#reader.push(chunk);
    this.#goOn();
  }

  /** Carry out what has come, unless the client has answers to read first. */
  #goOn(): void {
    this.#socket.cork();
    try {
      while (!this.hasEnded && !this.#socket.writableNeedDrain) {
        const line = this.#reader.next();
        if (line === null) return;
        this.#hear(line);
      }
      if (!this.hasEnded) this.#socket.pause();
    } catch (error) {
      if (!(error instanceof DlmError)) throw error;
      this.#fail(error.message);
    } finally {
      this.#socket.uncork();
    }
  }

  #drained(): void {
    this.#unread = 0;
    if (this.hasEnded) return;
    this.#socket.resume();
    this.#goOn();
  }

  #hear(line: Buffer): void {
    let request: Request;
    try {
      request = parseRequest(line);
    } catch (error) {
      if (!(error instanceof LineRefused)) throw error;
      if (this.#locks === null) this.#fail(error.message);
      else this.refuse(error.id, error.reason);
      return;
    }
    if (this.#locks === null) this.#greet(request);
    else if (request.op === 'hello') this.refuse(request.id, new DlmError('DLM_PROTOCOL', 'hello has been said'));
    else answer(this, this.#locks, this.#at, request);
  }

  #greet(request: Request): void {
    if (request.op !== 'hello') return this.#fail('a session begins with hello');
    if (request.version !== protocolVersion) {
      return this.#fail(`the client speaks version ${request.version} of the protocol, this node version ${protocolVersion}`);
    }
    clearTimeout(this.#helloTimer);
    const owner = this.#at.host.addOwner('session', request.pid, shorten(request.command));
    this.#locks = new SessionLocks(this.#at, this, owner, request);
    const { self: node, incarnation } = this.#at.host;
    this.#write(JSON.stringify({ event: 'welcome', version: protocolVersion, node, incarnation }));
  }

  /** Do something for a request, and answer with the error if it throws one. */
  attempt(id: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DlmError)) throw error;
      this.refuse(id, error);
    }
  }

  /** Do something for a request: its answer goes out before the events it causes. */
  whileHolding(work: () => void): void {
    this.#heldBack = [];
    try {
      work();
    } finally {
      const events = this.#heldBack;
      this.#heldBack = null;
      for (const event of events) this.#writeEvent(event);
    }
  }

  result(id: number, result: unknown): void {
    this.#write(JSON.stringify({ id, result }));
  }

  refuse(id: number | null, error: DlmError, rule?: string): void {
    this.#write(JSON.stringify({ id, error: { ...describeError(error), ...(rule === undefined ? {} : { rule }) } }));
  }

  event(event: object): void {
    if (this.hasEnded) return;
    const line = JSON.stringify(event);
    if (this.#heldBack !== null) this.#heldBack.push(line);
    else this.#writeEvent(line);
  }

  #writeEvent(line: string): void {
    this.#write(line);
    if (!this.#socket.writableNeedDrain) return;
    this.#unread += line.length;
    if (this.#unread <= unreadMax) return;
    this.#at.log(`${this.#who()} does not read what it is told and is cut off`);
    this.#socket.destroy();
    this.end();
  }

  #write(line: string): void {
    if (!this.hasEnded) this.#socket.write(`${line}\n`);
  }

  /** The client is beyond understanding: say why and end. */
  #fail(why: string): void {
    this.#write(JSON.stringify({ id: null, error: describeError(new DlmError('DLM_PROTOCOL', why)) }));
    this.end();
  }

  /** The connection has ended, or is ended by us. */
  end(): void {
    if (this.hasEnded) return;
    this.#gone.abort();
    clearTimeout(this.#helloTimer);
    this.#locks?.end();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), farewellMillis).unref();
    this.#onEnd(this);
  }

  #who(): string {
    return this.#locks === null ? 'a session' : `the session of process ${this.#locks.owner.pid}`;
  }
}

/** An error as it is sent. */
export function describeError({ code, message, hint, exitCode }: DlmError): object {
  return { code, message, hint, exit: exitCode };
}
