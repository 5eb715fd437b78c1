/**
 * What a message is about: locks, a recovery, the whole cluster, or what somebody wants to see.
 *
 * Asked by whoever passes messages on; each kind goes another way.
 */
import type { GroupMessage, InspectionMessage, LockMessage, Message, RecoveryMessage } from './message.js';

const recoveryKinds: ReadonlySet<Message['kind']> = new Set<RecoveryMessage['kind']>([
  'reached',
  'proceed',
  'names',
  'namesReply',
  'masterLookup',
  'masterLookupReply',
  'rebuildLocks',
  'rebuildLocksReply',
]);

/** Is it about locks? Most messages are. */
export function isLockMessage(message: Message): message is LockMessage {
  switch (message.kind) {
    case 'request':
    case 'convert':
    case 'unlock':
    case 'cancel':
    case 'requestReply':
    case 'convertReply':
    case 'unlockReply':
    case 'cancelReply':
    case 'grant':
    case 'blocking':
    case 'lookupReply':
    case 'remove':
    case 'purge':
      return true;
    default:
      return false;
  }
}

export function isInspection(message: Message): message is InspectionMessage {
  return message.kind === 'inspect' || message.kind === 'inspectReply';
}

export function isRecoveryMessage(message: Message): message is RecoveryMessage {
  return recoveryKinds.has(message.kind);
}

export function isGroupMessage(message: Message): message is GroupMessage {
  return message.kind === 'census' || message.kind === 'verdict';
}
