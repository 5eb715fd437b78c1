/**
 * Which byte stands for which word.
 *
 * A word's byte never changes and is never used for another one; new words are added at
 * the end of their table. A message begins with the byte of its kind.
 */
import type { ValueState } from '../lock/lvb.js';
import type { Cancel, Message, PhaseName, Standing, Verdict } from './message.js';

export const kindCodes = {
  request: 1,
  convert: 2,
  unlock: 3,
  cancel: 4,
  requestReply: 5,
  convertReply: 6,
  unlockReply: 7,
  cancelReply: 8,
  grant: 9,
  blocking: 10,
  lookupReply: 11,
  remove: 12,
  purge: 13,
  reached: 14,
  proceed: 15,
  names: 16,
  namesReply: 17,
  masterLookup: 18,
  masterLookupReply: 19,
  rebuildLocks: 20,
  rebuildLocksReply: 21,
  inspect: 22,
  inspectReply: 23,
  census: 24,
  verdict: 25,
  slotResult: 26,
} as const satisfies Record<Message['kind'], number>;

export const standings: readonly Standing[] = [
  'OK',
  'EAGAIN',
  'EDEADLK',
  'ECANCEL',
  'EUNLOCK',
  'queued',
  'nothing',
  'notMaster',
];

export const cancelStatuses: readonly Cancel['status'][] = ['ECANCEL', 'EDEADLK'];

export const valueStates: readonly ValueState[] = ['none', 'valid', 'invalid'];

/** In their order. */
export const phaseNames: readonly PhaseName[] = ['members', 'ready', 'directory', 'masters', 'locks', 'done', 'resume'];

export const verdicts: readonly Verdict[] = ['open', 'fenced', 'acknowledged', 'returned'];

/** The byte of a word, from its table. The tables are short. */
export function codeOf<Word>(table: readonly Word[], word: Word): number {
  return table.indexOf(word);
}
