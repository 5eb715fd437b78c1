/**
 * From the law's answers to errors with a code and a hint.
 */
import { DlmError } from '../base/errors.js';
import type { Status } from '../base/status.js';
import type { Refusal } from './port.js';
import { escapeText } from './text.js';

export function errorOfStatus(status: Exclude<Status, 'OK' | 'EUNLOCK'>): DlmError {
  switch (status) {
    case 'EAGAIN':
      return new DlmError('DLM_BUSY', 'the lock is busy');
    case 'EDEADLK':
      return new DlmError('DLM_DEADLOCK', 'the conversion would wait for one that waits for it');
    case 'ECANCEL':
      return new DlmError('DLM_CANCELLED', 'the wait was cancelled');
  }
}

export function errorOfRefusal(refusal: Refusal | DlmError): DlmError {
  if (refusal instanceof DlmError) return refusal;
  const { code, rule, call } = refusal;
  if (rule?.name === 'lockspace-joined') return new DlmError('DLM_LOCKSPACE_UNKNOWN', rule.text);
  if (rule?.name === 'lockspace-agreed') return new DlmError('DLM_LOCKSPACE_EXISTS', rule.text, 'join it as they have it; see: dlm lockspace create --help');
  if (rule?.name === 'lockspace-empty') return new DlmError('DLM_LOCKSPACE_IN_USE', rule.text);
  if (rule?.name === 'order-sound') return new DlmError('DLM_USAGE', rule.text, 'name a preset, or write the order out; see: dlm lockspace create --help');
  if (rule?.name === 'order-can-be-kept') return new DlmError('DLM_CONFIG_INVALID', rule.text, 'say how to fence with: dlm node join --fence or --config; or choose --order none');
  switch (code) {
    case 'EINVAL':
      return new DlmError('DLM_RULE_BROKEN', `${rule?.text ?? 'refused'} (rule ${rule?.name ?? 'unknown'})`);
    case 'EBUSY':
      return new DlmError('DLM_LOCK_IN_PROGRESS', 'the lock is still waiting for an earlier request');
    case 'ENOENT':
      if (call.kind === 'lock') return new DlmError('DLM_ORPHAN_UNKNOWN', 'there is no orphan of that name');
      return new DlmError('DLM_LOCK_UNKNOWN', 'there is no such lock');
    case 'EAGAIN':
      return new DlmError('DLM_ORPHAN_UNKNOWN', 'there is an orphan of that name, in another mode');
    case 'ENOBUFS':
      return new DlmError('DLM_NO_NODE', 'the node has ended', askAgain);
  }
}

/** While it waits for the last locks to end. */
export function nothingNew(): DlmError {
  return new DlmError('DLM_NO_NODE', 'the node is leaving and grants no new locks', 'it ends when the last lock has, or at once with: dlm node leave --force; then ask again');
}

/** What those can do who waited at a node that is gone. */
export const askAgain = 'ask again: the next command starts a node, or says how to join the cluster again';

/** The same where the node was a member, by the options of `dlm node join` with which it would be one again. */
export function memberAgain(line: string): string {
  return `be a member again with: dlm node join ${escapeText(line)} --detach`;
}

/** A node with locks does not just go. */
export function stillLocked(lockCount: number): DlmError {
  return new DlmError('DLM_NODE_IN_USE', `the node still has ${lockCount === 1 ? 'a lock' : `${lockCount} locks`}`);
}
