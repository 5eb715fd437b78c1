/**
 * What two nodes say before their first frame: who they are, and to whom they mean to
 * speak.
 *
 * The one that dials says hello, the other welcome, with the same contents the other way
 * round; or it refuses, with a reason, and hangs up. `session` is a number that a side
 * draws when it begins a session. It tells a session that goes on from one that only the
 * other side has begun again, which must not go on, since messages would be missing.
 *
 * Whoever has dropped messages for this life of the other one says farewell in place of
 * hello, or refuses with `lostMessages`: the two cannot go on, and the other one must end
 * and come back as another life.
 *
 * Length, version, type and reason of a refusal stay where they are in every version, so
 * that nodes of different versions can at least tell each other so.
 *
 * Kin: fs/dlm/midcomms.c, the handshake by version and rcom.
 */
import { incarnation, nodeId, type Incarnation, type NodeId } from '../base/ids.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { frameTypes, prologueBytes, putPrologue, readPrologue } from './frame.js';
import { WireError } from './wire-error.js';

/** The longest greeting or refusal, in bytes. Nobody who has not been welcomed may send more at once. */
export const greetingBytesMax = 256;

export interface Greeting {
  readonly type: 'hello' | 'welcome' | 'farewell';
  /** One character a byte, 64 at most. */
  readonly cluster: string;
  readonly from: NodeId;
  readonly fromIncarnation: Incarnation;
  readonly to: NodeId;
  readonly toIncarnation: Incarnation;
  /** Of the sender's session. */
  readonly session: number;
  /** Of the addressee's, if this session has heard of it. */
  readonly peerSession: number | null;
}

/** Why not. A reason's place is its byte; new ones are added at the end. */
export const refusals = [
  /** Another version of the protocol between nodes. */
  'otherVersion',
  /** Another cluster's node. */
  'otherCluster',
  /** This is not the node the other one dialled. */
  'otherNode',
  /** Not among the members this node knows, maybe not yet: try again later. */
  'unknownPeer',
  /** One side means another life of the other, maybe a view ahead: try again later. */
  'otherIncarnation',
  /** One side has begun its session again and the other has not, maybe not yet. */
  'otherSession',
  /** The key does not belong to that node. */
  'otherKey',
  /** Messages for this life of yours have been dropped: end it, and come back as another. */
  'lostMessages',
] as const;

export type Refusal = (typeof refusals)[number];

export type HelloFrame = Greeting | { readonly type: 'refusal'; readonly reason: Refusal };

export function encodeHello(hello: HelloFrame): Uint8Array {
  const writer = new ByteWriter();
  writer.skip(prologueBytes);
  writer.reserve(greetingBytesMax);
  if (hello.type === 'refusal') {
    writer.byte(refusals.indexOf(hello.reason));
  } else {
    writer.number(hello.from);
    writer.number(hello.fromIncarnation);
    writer.number(hello.to);
    writer.number(hello.toIncarnation);
    writer.number(hello.session);
    writer.byte(hello.peerSession === null ? 0 : 1);
    if (hello.peerSession !== null) writer.number(hello.peerSession);
    writer.name(hello.cluster);
  }
  const frame = writer.take();
  putPrologue(frame, frameTypes[hello.type]);
  return frame;
}

/** Throws `WireError`, with `otherVersion` if that is what is wrong. */
export function decodeHello(frame: Uint8Array): HelloFrame {
  const type = readPrologue(frame);
  const reader = new ByteReader(frame, prologueBytes);
  if (type === frameTypes.messages) throw new WireError('impossible', 5, 'messages before a greeting');
  const hello = type === frameTypes.refusal ? readRefusal(reader) : readGreeting(reader, type === frameTypes.hello ? 'hello' : type === frameTypes.welcome ? 'welcome' : 'farewell');
  reader.end();
  return hello;
}

function readRefusal(reader: ByteReader): HelloFrame {
  return { type: 'refusal', reason: refusals[reader.code(refusals.length, 'reason')]! };
}

function readGreeting(reader: ByteReader, type: Greeting['type']): Greeting {
  const from = nodeId(reader.number());
  const fromIncarnation = incarnation(reader.number());
  const to = nodeId(reader.number());
  const toIncarnation = incarnation(reader.number());
  const session = reader.number();
  const peerSession = reader.code(2, 'yes or no') === 1 ? reader.number() : null;
  return { type, cluster: reader.name(), from, fromIncarnation, to, toIncarnation, session, peerSession };
}
