/**
 * What can be wrong with a link to another node, in kinds for programs and in words for
 * people. The transport tells it; nothing here decides what follows from it.
 */
import type { NodeId } from '../base/ids.js';
import type { Refusal } from '../wire/hello.js';
import { isKeyTrouble } from './link-security.js';

export type TroubleKind =
  /** Nobody answers there. */
  | 'unreachable'
  /** The key does not fit, or only one side has one. */
  | 'otherKey'
  /** The peer does not want us, or we do not want it; the reason is in the message. */
  | 'refused'
  /** What came makes no sense. */
  | 'malformed'
  /** Connected, and nothing moves. */
  | 'stalled'
  /** The address cannot be used, or not without a key. */
  | 'address'
  /** More waits for this peer than may: it is dropped, and the peer will be told to come back as another life. */
  | 'overfull';

export interface LinkTrouble {
  readonly kind: TroubleKind;
  /** Null: we do not know who it was. */
  readonly node: NodeId | null;
  readonly message: string;
}

export const sentences: Readonly<Record<Refusal, string>> = {
  otherVersion: 'the two nodes speak different versions; upgrade the older one',
  otherCluster: 'the two nodes are of different clusters',
  otherNode: 'the node there is another one; see the addresses of the members',
  unknownPeer: 'the one does not know the other as a member, or not yet',
  otherIncarnation: 'one of the two has been started again, and not everybody knows yet',
  otherSession: 'one of the two has begun again, and the other has not',
  otherKey: 'the key is that of another node',
  lostMessages: 'it has dropped messages for this node',
};

/** Said of a dialled node; what is said of one that dials is that it tried. */
export const otherKeys = 'the key does not fit: the two nodes have different keys, or only one has any';

export function nameTrouble(error: Error): [TroubleKind, string] {
  if (!isKeyTrouble(error)) return ['unreachable', error.message];
  return ['otherKey', otherKeys];
}
