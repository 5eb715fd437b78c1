/**
 * The head of a frame: what two sessions tell each other beside the messages.
 *
 *   0 length of the frame, four bytes · 4 version · 5 type · 6 how many messages, two bytes
 *   8 incarnation of the sender · 16 of the addressee · 24 number · 32 acknowledged up to
 *
 * The last four are counts of eight bytes each. All of it has a fixed size, so that it is
 * filled in when the messages are there, and the acknowledgement anew when a frame is
 * sent again. The number 0 is that of a frame without messages, which only acknowledges.
 * Length, version and type begin everything that goes over a node link, greetings
 * (hello.ts) included.
 */
import { incarnation, type Incarnation } from '../base/ids.js';
import { wordAt } from './byte-reader.js';
import { putCount, putWord } from './byte-writer.js';
import { frameBytesMax, frameMessagesMax } from './limits.js';
import { WireError } from './wire-error.js';

/** Of the protocol between nodes. */
export const wireVersion = 1;

/** Length, version and type. */
export const prologueBytes = 6;

/** Of the head of a frame. */
export const headBytes = 40;

const ackAt = 32;

export const frameTypes = { messages: 1, hello: 2, welcome: 3, refusal: 4, farewell: 5 } as const;

export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

export interface FrameHead {
  readonly from: Incarnation;
  readonly to: Incarnation;
  readonly count: number;
  /** 1 for the first; 0: it carries no messages. */
  readonly number: number;
  /** The addressee's frames up to this one have arrived. */
  readonly ack: number;
}

/** Fill in length, version and type of something that is complete. */
export function putPrologue(frame: Uint8Array, type: FrameType): void {
  putWord(frame, 0, frame.length);
  frame[4] = wireVersion;
  frame[5] = type;
}

export function putHead(frame: Uint8Array, head: FrameHead): void {
  putPrologue(frame, frameTypes.messages);
  frame[6] = head.count >>> 8;
  frame[7] = head.count;
  putCount(frame, 8, head.from);
  putCount(frame, 16, head.to);
  putCount(frame, 24, head.number);
  putCount(frame, ackAt, head.ack);
}

/** Acknowledge up to another frame than when it was written. */
export function putAck(frame: Uint8Array, ack: number): void {
  putCount(frame, ackAt, ack);
}

/** What type is it? Throws if length, version or type are not those of a frame. */
export function readPrologue(frame: Uint8Array): FrameType {
  if (frame.length < prologueBytes) throw new WireError('truncated', frame.length, 'a frame without a head');
  if (frame.length > frameBytesMax) throw new WireError('tooLong', 0, `a frame of ${frame.length} bytes`);
  if (frame[4] !== wireVersion) throw new WireError('otherVersion', 4, `version ${frame[4]}, and ours is ${wireVersion}`);
  const length = wordAt(frame, 0);
  if (length > frame.length) throw new WireError('truncated', frame.length, `${length} bytes were promised`);
  if (length < frame.length) throw new WireError('trailing', length, 'the frame goes on after its end');
  const type = frame[5]!;
  if (type < frameTypes.messages || type > frameTypes.farewell) throw new WireError('badCode', 5, `${type} stands for no type of frame`);
  return type as FrameType;
}

/** The head of a frame with or without messages; they begin at `headBytes`. Throws `WireError`. */
export function readHead(frame: Uint8Array): FrameHead {
  if (readPrologue(frame) !== frameTypes.messages) throw new WireError('badCode', 5, 'a greeting among the messages');
  if (frame.length < headBytes) throw new WireError('truncated', frame.length, 'a frame without a head');
  const count = frame[6]! * 256 + frame[7]!;
  if (count > frameMessagesMax) throw new WireError('tooLong', 6, `${count} messages`);
  const number = countAt(frame, 24);
  if ((number === 0) !== (count === 0)) throw new WireError('impossible', 6, `${count} messages in frame ${number}`);
  if (number === 0 && frame.length > headBytes) throw new WireError('trailing', headBytes, `${frame.length - headBytes} bytes too many`);
  return { from: incarnation(countAt(frame, 8)), to: incarnation(countAt(frame, 16)), count, number, ack: countAt(frame, ackAt) };
}

/** A count in eight bytes at a place, the greatest first. */
function countAt(frame: Uint8Array, at: number): number {
  const value = wordAt(frame, at) * 2 ** 32 + wordAt(frame, at + 4);
  if (value > Number.MAX_SAFE_INTEGER) throw new WireError('badNumber', at, 'a number is too great');
  return value;
}
