/**
 * The link to one life of one peer: a session, and the connection it has at the moment.
 *
 * The transport brings connections that have been greeted, and lets the link go when the
 * peer leaves. The link survives the loss of any connection: what was sent meanwhile is
 * collected, and goes out over the next one. It writes at the end of a chunk that was
 * read, when some messages have come together, and otherwise when whoever sends has come
 * to an end: in a microtask, since what waits for the event loop, or for its next tick,
 * comes later by a tenth of what a lock takes. While the socket's buffer is full it writes
 * nothing; the session goes on collecting, up to its limit.
 */
import type { Socket } from 'node:net';
import { millis, type Incarnation, type Millis, type NodeId } from '../base/ids.js';
import { frameBytesMax } from '../wire/limits.js';
import type { Message } from '../wire/message.js';
import { PeerSession, type SessionCounts } from '../wire/session.js';
import { WireError } from '../wire/wire-error.js';
import type { FrameReader } from './framing.js';

/** Messages that are worth a write of their own: the peer works on them while we make the next. */
const earlyFlushCount = 32;
/** Handed to the socket before looking whether it still takes more. */
const flushBytes = 256 * 1024;
/** A connection over which nothing has been acknowledged for so long is given up. */
const stallMillis = 5_000;

const done = Promise.resolve();

export interface LinkOptions {
  readonly self: Incarnation;
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  readonly backlogBytesMax: number | undefined;
  readonly now: () => Millis;
  readonly onMessages: (from: NodeId, messages: Message[]) => void;
  /** `nextDeadline` may be another one now. */
  readonly onDeadline: (link: PeerLink) => void;
  /** The connection is gone; bring another one. Null: it closed by itself. */
  readonly onLost: (link: PeerLink, why: string | null) => void;
  /** More waits than the peer may leave unacknowledged. Told once; the link is dead. */
  readonly onOverfull: (link: PeerLink) => void;
}

export class PeerLink {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** Drawn by the other side for its session; null until it has greeted us. */
  peerSession: number | null = null;
  /** Has a good frame come over the connection there is, or was last? */
  hasWorked = false;
  readonly #options: LinkOptions;
  readonly #session: PeerSession;
  #socket: Socket | null = null;
  /** Takes the socket nothing more until it is drained? */
  #isFull = false;
  #isReading = false;
  #isDead = false;
  /** Messages sent since the last flush. */
  #collected = 0;
  /** Is there a microtask that will flush? */
  #willFlush = false;
  readonly #flushNow = (): void => {
    this.#willFlush = false;
    if (this.#collected > 0) this.flush();
    // Also if all has been written early: it waits for an acknowledgement.
    this.#options.onDeadline(this);
  };

  constructor(
    options: LinkOptions,
    /** Drawn by us for this session. */
    readonly ownSession: number,
  ) {
    this.#options = options;
    this.node = options.node;
    this.incarnation = options.incarnation;
    const { self, incarnation: peer, backlogBytesMax } = options;
    this.#session = new PeerSession({ self, peer, isLossy: false, ...(backlogBytesMax === undefined ? {} : { backlogBytesMax }) });
  }

  /** Has it lost messages, or been ended? Then no connection may go on with it. */
  get isDead(): boolean {
    return this.#isDead;
  }

  get isConnected(): boolean {
    return this.#socket !== null;
  }

  /** Send as soon as whoever sends has come to an end. Over a dead link it goes nowhere. */
  send(message: Message): void {
    if (this.#isDead) return;
    this.#session.send(message);
    this.#collected += 1;
    if (this.#session.isOverfull) return this.#die();
    if (this.#collected >= earlyFlushCount) this.flush();
    else if (!this.#isReading && !this.#willFlush) {
      this.#willFlush = true;
      // Not queueMicrotask(), which makes more of it.
      void done.then(this.#flushNow);
    }
  }

  /** Go on over this connection. What the reader still has comes first. */
  attach(socket: Socket, reader: FrameReader): void {
    const former = this.#socket;
    this.#socket = socket;
    this.#isFull = false;
    former?.destroy();
    this.hasWorked = false;
    reader.lengthMax = frameBytesMax;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on('data', (chunk) => {
      reader.push(chunk);
      this.#read(socket, reader);
    });
    socket.on('drain', () => {
      if (this.#socket !== socket) return;
      this.#isFull = false;
      this.flush();
      this.#options.onDeadline(this);
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#drop(null);
    });
    this.#session.reconnected(this.#options.now());
    this.flush();
    this.#read(socket, reader);
    socket.resume();
  }

  /** Hand over what has been collected, as far as the socket takes it. */
  flush(now = this.#options.now()): void {
    this.#collected = 0;
    const socket = this.#socket;
    if (socket === null) return;
    do {
      if (this.#isFull || !socket.writable) return;
      const frames = this.#session.flush(now, flushBytes);
      if (frames.length === 1) {
        this.#isFull = !socket.write(frames[0]!);
      } else if (frames.length > 1) {
        socket.cork();
        for (const frame of frames) this.#isFull = !socket.write(frame);
        socket.uncork();
      }
    } while (this.#session.hasMore);
  }

  /** The time has come that `nextDeadline` gave. */
  tick(now: Millis): void {
    if (this.#socket === null) return;
    const since = this.#session.waitingSince;
    if (since !== null && now >= since + stallMillis) this.#drop(`nothing was acknowledged for ${stallMillis / 1000} s`);
    else this.flush(now);
  }

  nextDeadline(): Millis | null {
    if (this.#socket === null) return null;
    const since = this.#session.waitingSince;
    // While the socket takes nothing, an acknowledgement that is due waits for it too.
    const ack = this.#isFull ? null : this.#session.nextDeadline();
    if (since === null) return ack;
    return millis(Math.min(ack ?? Infinity, since + stallMillis));
  }

  /** The peer has left, or we do: nothing more is heard or sent. What is with the socket still goes out if `isGentle`. */
  end(isGentle: boolean): Socket | null {
    if (isGentle) this.flush();
    const socket = this.#socket;
    this.#socket = null;
    this.#isDead = true;
    if (isGentle) socket?.end();
    else socket?.destroy();
    return socket;
  }

  counts(): SessionCounts {
    return this.#session.counts();
  }

  #read(socket: Socket, reader: FrameReader): void {
    const now = this.#options.now();
    this.#isReading = true;
    try {
      while (this.#socket === socket) {
        const frame = reader.next();
        if (frame === null) break;
        this.#hear(now, frame);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#drop(error.message);
    } finally {
      this.#isReading = false;
    }
    if (this.#collected > 0 || this.#session.isDue(now)) this.flush(now);
    this.#options.onDeadline(this);
  }

  /** Throws `WireError` if the connection is no good. */
  #hear(now: Millis, frame: Uint8Array): void {
    const outcome = this.#session.receive(now, frame);
    if (outcome.kind === 'malformed') throw outcome.error;
    if (outcome.kind === 'stranger') throw new WireError('impossible', 8, 'a frame of another life');
    this.hasWorked = true;
    if (outcome.messages.length > 0) this.#options.onMessages(this.node, outcome.messages);
  }

  #drop(why: string | null): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.destroy();
    this.#options.onLost(this, why);
  }

  #die(): void {
    this.end(false);
    this.#session.abandon();
    this.#options.onOverfull(this);
  }
}
