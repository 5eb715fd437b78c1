/**
 * How a story says what it sees: short lines, the same each time.
 */
import type { Status } from '../../base/status.js';
import { Result } from '../../lock/flags.js';
import { IV, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Complete } from '../../lock/turn.js';
import type { LockDump, ResourceDump } from '../../node/snapshot.js';
import type { Message, Unheeding } from '../../wire/message.js';

/** Kind of a message, and what tells it from others of its kind. */
export function showMessage(message: Message): string {
  const more: string[] = [];
  if ('phase' in message) more.push(message.phase);
  if ('standing' in message) more.push(message.standing);
  if (message.kind === 'lookupReply') more.push(`n${message.master}`);
  if (message.kind === 'masterLookupReply') more.push(message.masters.map((master) => `n${master}`).join(' '));
  if ('mode' in message && !('standing' in message)) more.push(nameOfMode(message.mode));
  if (message.kind === 'rebuildLocks') more.push(message.locks.map((lock) => showModes(lock.granted, lock.requested)).join(' '));
  return [message.kind, ...more].join(' ');
}

const reasons: Readonly<Record<Exclude<Unheeding, 'kept'>, string>> = {
  oldRecovery: 'of an older recovery',
  oldLife: 'of an earlier life',
  oldDirectory: 'the directory knows better',
  moved: 'the resource has moved since',
  notJoined: 'not in that lockspace',
  over: 'the lock or the question is over',
};

export function showUnheeded(node: number, from: number, message: Message, why: Unheeding): string {
  const what = `${message.kind} of n${from}`;
  return why === 'kept' ? `n${node} keeps ${what} for later` : `n${node} drops ${what}: ${reasons[why]}`;
}

export function showModes(granted: ModeOrNone, requested: ModeOrNone): string {
  const held = granted === IV ? '' : nameOfMode(granted);
  return requested === IV ? held : `${held}>${nameOfMode(requested)}`;
}

const ends: Readonly<Record<Exclude<Status, 'OK'>, string>> = {
  EUNLOCK: 'unlocked',
  ECANCEL: 'cancelled',
  EDEADLK: 'refused: deadlock',
  EAGAIN: 'refused: busy',
};

/** What an owner is told at the end of a call. */
export function showEnd(effect: Complete, showsToken: boolean): string {
  const { status, mode, results, value, generation, mastership, sequence } = effect;
  const words = [status === 'OK' ? `${nameOfMode(mode)} granted` : ends[status]];
  if (status !== 'OK' && mode !== IV) words.push(`holds ${nameOfMode(mode)}`);
  if ((results & Result.DEMOTED) !== 0) words.push('demoted');
  if ((results & Result.ALTMODE) !== 0) words.push('another mode');
  if (value !== null) words.push(`value '${textOf(value)}'`);
  if ((results & Result.VALNOTVALID) !== 0) words.push('value not valid');
  if (showsToken && status === 'OK') words.push(`token ${generation}.${mastership}.${sequence}`);
  return words.join(', ');
}

/** A resource as its master sees it. */
export function showResource(resource: ResourceDump, nameOf: (lock: LockDump) => string): string {
  const queues = (['granted', 'converting', 'waiting'] as const).flatMap((place) => {
    const locks = [...resource[place]].map((lock) => `${nameOf(lock)} ${showModes(lock.granted, lock.requested)}${lock.isOrphan ? ' (orphan)' : ''}`);
    if (place === 'granted') locks.sort();
    return locks.length === 0 ? [] : [`${place} ${locks.join(', ')}`];
  });
  const value = resource.value === null ? [] : [`value '${textOf(resource.value)}'${resource.isInvalid ? ' not valid' : ''}`];
  if (resource.value === null && resource.isInvalid) value.push('value not valid');
  return [`${resource.name}: master n${resource.master}, directory n${resource.directory}`, ...queues, ...value].join('; ');
}

/** Values of stories are text. */
export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes).replace(/\0+$/, '');
}

export function bytesOf(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let place = 0; place < text.length && place < length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}
