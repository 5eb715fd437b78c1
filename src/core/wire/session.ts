/**
 * One life of ours and one life of a peer's, in conversation: each message arrives once
 * and in order, whatever the network loses, repeats, reorders or cuts off.
 *
 * Whoever drives it (host over a socket, sim over a made-up network) sends messages,
 * takes frames with `flush`, hands in what came with `receive`, says `reconnected` after
 * a new connection, and comes back at `nextDeadline`. Nothing here knows what a message
 * says, how a frame travels, or what time it is.
 *
 *   send ──▶ the open frame ──▶ closed, numbered ──▶ handed over ──▶ acknowledged, forgotten
 *
 * Frames are numbered from 1. Every frame acknowledges all up to a number; if there is
 * nothing else to send, one without messages does, after `ackDelayMillis` or when many
 * have come. What came again is dropped. What came too early is held where the network
 * reorders and loses frames (`isLossy`), and on a stream, which does neither, it is a fault.
 * Whatever is not acknowledged is handed over again after a reconnection, and where the
 * network loses frames by itself also when an acknowledgement is overdue. A stream loses
 * nothing as long as it lives, so that there only the reconnection counts.
 *
 * A session ends with either life. Frames of any other pair of lives are refused.
 *
 * Kin: fs/dlm/midcomms.c (DLM version 3.2 seq, ack and resend).
 */
import type { Incarnation, Millis } from '../base/ids.js';
import { millis } from '../base/ids.js';
import { Backlog } from './backlog.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { decodeMessage, encodeMessage } from './codec.js';
import { headBytes, putAck, putHead, readHead, type FrameHead } from './frame.js';
import { frameBytesWanted, frameMessagesMax } from './limits.js';
import type { Message } from './message.js';
import { WireError } from './wire-error.js';

/** How long an acknowledgement waits for company. */
const ackDelayMillis = 10;
/** This many frames unacknowledged, and it waits no longer. */
const ackCountMax = 32;

/** How long an acknowledgement may take at first; doubled each time in vain. */
const resendMillis = 200;
const resendMillisMax = 2_000;
/** This many frames are sent again at once; with these acknowledged come the next ones. */
const resendCount = 64;

/** Frames that came too early and are held, counted from the one that is missing. */
const heldMax = 256;

/** Bytes unacknowledged, or not even handed over, with which a peer counts as overfull. */
export const backlogBytesMax = 64 * 1024 * 1024;

export interface SessionOptions {
  readonly self: Incarnation;
  readonly peer: Incarnation;
  /** Does the network lose frames without a reconnection? Streams do not. */
  readonly isLossy: boolean;
  readonly backlogBytesMax?: number;
}

/** What became of a frame. */
export type Received =
  /** These messages are next, in this order; maybe none. */
  | { readonly kind: 'messages'; readonly messages: Message[] }
  /** It belongs to another life of either side. */
  | { readonly kind: 'stranger'; readonly from: Incarnation; readonly to: Incarnation }
  /** It means nothing; the connection it came over is no good. */
  | { readonly kind: 'malformed'; readonly error: WireError };

export interface SessionCounts {
  /** Frames with messages: handed over the first time, again, acknowledged. */
  readonly sent: number;
  readonly resent: number;
  readonly acknowledged: number;
  /** Frames with messages: arrived in order; dropped, because they had arrived before. */
  readonly received: number;
  readonly repeated: number;
  /** Kept, in bytes. */
  readonly backlogBytes: number;
}

export class PeerSession {
  readonly #self: Incarnation;
  readonly #peer: Incarnation;
  readonly #isLossy: boolean;
  readonly #backlogBytesMax: number;

  readonly #writer = new ByteWriter();
  /** Messages in the open frame. */
  #open = 0;
  readonly #backlog = new Backlog();
  /** The last frame handed over since the connection began, and ever. */
  #handedOver = 0;
  #sent = 0;
  #acknowledged = 0;

  /** All up to this one have arrived, and how many since the last acknowledgement. */
  #received = 0;
  #unacknowledged = 0;
  readonly #held = new Map<number, Message[]>();

  #ackAt: Millis | null = null;
  #resendAt: Millis | null = null;
  #resendMillis = resendMillis;
  #waitingSince: Millis | null = null;
  #resent = 0;
  #repeated = 0;

  constructor(options: SessionOptions) {
    this.#self = options.self;
    this.#peer = options.peer;
    this.#isLossy = options.isLossy;
    this.#backlogBytesMax = options.backlogBytesMax ?? backlogBytesMax;
  }

  /** Add a message to what the next flush hands over. */
  send(message: Message): void {
    if (this.#open === 0) this.#writer.skip(headBytes);
    encodeMessage(this.#writer, message);
    this.#open += 1;
    if (this.#writer.length > frameBytesWanted || this.#open === frameMessagesMax) this.#close();
  }

  /**
   * The frames to hand to the network now, in order. Nobody may change them afterwards:
   * they are kept until they are acknowledged. At most `bytesMax`, but one frame at
   * least; `hasMore` then says that there are more.
   */
  flush(now: Millis, bytesMax = Infinity): Uint8Array[] {
    if (this.#open > 0) this.#close();
    const frames: Uint8Array[] = [];
    if (this.#resendAt !== null && now >= this.#resendAt) this.#resendSome(now, frames);
    let bytes = 0;
    while (this.#handedOver < this.#backlog.last && bytes < bytesMax) {
      this.#handedOver += 1;
      const frame = this.#handOver(now, this.#handedOver);
      bytes += frame.length;
      frames.push(frame);
    }
    if (frames.length === 0 && this.#ackAt !== null && now >= this.#ackAt) frames.push(this.#loneAck());
    if (frames.length > 0) {
      this.#ackAt = null;
      this.#unacknowledged = 0;
    }
    return frames;
  }

  /**
   * Take in what the network has brought: one frame, whole. Nothing of its bytes is kept or
   * changed. After a malformed one the driver hangs up; nothing of it has counted.
   */
  receive(now: Millis, frame: Uint8Array): Received {
    try {
      const head = readHead(frame);
      if (head.from !== this.#peer || head.to !== this.#self) return { kind: 'stranger', from: head.from, to: head.to };
      if (head.ack > this.#sent) throw new WireError('impossible', 0, `frame ${head.ack} is acknowledged before it was sent`);
      const messages = head.number > 0 ? this.#accept(now, head, frame) : [];
      this.#heedAck(now, head.ack);
      return { kind: 'messages', messages };
    } catch (error) {
      if (error instanceof WireError) return { kind: 'malformed', error };
      throw error;
    }
  }

  /** There is a new connection: what was not acknowledged may be lost, and the next flush hands it over again. */
  reconnected(now: Millis): void {
    this.#handedOver = this.#acknowledged;
    this.#resendMillis = resendMillis;
    this.#resendAt = null;
    this.#waitingSince = null;
    if (this.#received > 0) this.#ackAt = now;
  }

  /** When must `flush` be called at the latest? Null: not before something is sent or received. */
  nextDeadline(): Millis | null {
    if (this.#ackAt === null) return this.#resendAt;
    if (this.#resendAt === null) return this.#ackAt;
    return this.#ackAt < this.#resendAt ? this.#ackAt : this.#resendAt;
  }

  /** Has that time come? */
  isDue(now: Millis): boolean {
    return (this.#ackAt !== null && this.#ackAt <= now) || (this.#resendAt !== null && this.#resendAt <= now);
  }

  /** Are there messages that no flush has handed over? */
  get hasMore(): boolean {
    return this.#open > 0 || this.#handedOver < this.#backlog.last;
  }

  /** Is more waiting than the peer may leave unacknowledged? It should then count as failed. */
  get isOverfull(): boolean {
    return this.#backlog.bytes + this.#writer.length > this.#backlogBytesMax;
  }

  /** It will never be given what waits for it. */
  abandon(): void {
    if (this.#open > 0) this.#close();
    this.#backlog.dropThrough(this.#backlog.last);
  }

  /** Since when has the peer acknowledged nothing of what it should? Null: there is nothing. */
  get waitingSince(): Millis | null {
    return this.#waitingSince;
  }

  counts(): SessionCounts {
    return {
      sent: this.#sent,
      resent: this.#resent,
      acknowledged: this.#acknowledged,
      received: this.#received,
      repeated: this.#repeated,
      backlogBytes: this.#backlog.bytes,
    };
  }

  #close(): void {
    const frame = this.#writer.take();
    const number = this.#backlog.last + 1;
    putHead(frame, { from: this.#self, to: this.#peer, count: this.#open, number, ack: 0 });
    this.#backlog.push(frame);
    this.#open = 0;
  }

  /** A frame with the acknowledgement of today; one that is out already is copied, since it may still be on its way. */
  #handOver(now: Millis, number: number): Uint8Array {
    let frame = this.#backlog.at(number);
    if (number <= this.#sent) {
      frame = frame.slice();
      this.#resent += 1;
    } else {
      this.#sent = number;
    }
    putAck(frame, this.#received);
    this.#waitingSince ??= now;
    if (this.#isLossy) this.#resendAt ??= millis(now + this.#resendMillis);
    return frame;
  }

  #resendSome(now: Millis, frames: Uint8Array[]): void {
    const last = Math.min(this.#handedOver, this.#acknowledged + resendCount);
    for (let number = this.#acknowledged + 1; number <= last; number += 1) frames.push(this.#handOver(now, number));
    this.#resendMillis = Math.min(2 * this.#resendMillis, resendMillisMax);
    this.#resendAt = millis(now + this.#resendMillis);
  }

  #loneAck(): Uint8Array {
    const frame = new Uint8Array(headBytes);
    putHead(frame, { from: this.#self, to: this.#peer, count: 0, number: 0, ack: this.#received });
    return frame;
  }

  #heedAck(now: Millis, ack: number): void {
    if (ack <= this.#acknowledged) return;
    this.#acknowledged = ack;
    this.#backlog.dropThrough(ack);
    if (this.#handedOver < ack) this.#handedOver = ack;
    this.#resendMillis = resendMillis;
    const isAllAcknowledged = ack >= this.#handedOver;
    this.#waitingSince = isAllAcknowledged ? null : now;
    this.#resendAt = isAllAcknowledged || !this.#isLossy ? null : millis(now + resendMillis);
  }

  /** Take in a frame of our peer's, and what has been held for want of it. */
  #accept(now: Millis, head: FrameHead, frame: Uint8Array): Message[] {
    const next = this.#received + 1;
    if (head.number < next) {
      this.#repeated += 1;
      this.#ackAt = now;
      return [];
    }
    if (head.number > next && !this.#isLossy) throw new WireError('impossible', headBytes, `frame ${head.number} came where ${next} was next, on a stream`);
    if (head.number >= next + heldMax || this.#held.has(head.number)) return [];
    const messages = messagesOf(head, frame);
    if (head.number > next) {
      this.#held.set(head.number, messages);
      return [];
    }
    this.#received = head.number;
    this.#unacknowledged += 1;
    if (this.#held.size > 0) this.#releaseHeld(messages);
    this.#ackAt = this.#unacknowledged >= ackCountMax ? now : (this.#ackAt ?? millis(now + ackDelayMillis));
    return messages;
  }

  #releaseHeld(messages: Message[]): void {
    for (;;) {
      const next = this.#received + 1;
      const held = this.#held.get(next);
      if (held === undefined) return;
      this.#held.delete(next);
      for (const message of held) messages.push(message);
      this.#received = next;
      this.#unacknowledged += 1;
    }
  }
}

/** All of them, or a `WireError`. */
function messagesOf(head: FrameHead, frame: Uint8Array): Message[] {
  const reader = new ByteReader(frame, headBytes);
  const messages: Message[] = [];
  for (let index = 0; index < head.count; index += 1) messages.push(decodeMessage(reader));
  reader.end();
  return messages;
}
