/**
 * Lock ids and tokens as they are printed.
 *
 * An id carries lockspace, node and incarnation, so that one from an earlier life
 * of the node is unknown, never somebody else's lock. Tokens of one resource sort
 * as text: a greater token is a later one.
 */
import { DlmError } from '../base/errors.js';
import { generation, lkid, type Generation, type Lkid } from '../base/ids.js';
import { escapeText } from './text.js';

const hex8 = (value: number): string => value.toString(16).padStart(8, '0');

interface Place {
  readonly name: string;
  readonly port: { readonly node: number; readonly incarnation: number };
}

/** `LOCKSPACE:NODE.INCARNATION.LKID`, the last as 8 hex digits. */
export function formatLockId(lockspace: Place, id: Lkid): string {
  const { node, incarnation } = lockspace.port;
  return `${lockspace.name}:${node}.${incarnation}.${hex8(id)}`;
}

/** `GENERATION.MASTERSHIP.SEQUENCE`, the first as 12 hex digits, the others as 8. */
export function formatToken(generation: number, mastership: number, sequence: number): string {
  return `${generation.toString(16).padStart(12, '0')}.${hex8(mastership)}.${hex8(sequence)}`;
}

/** The parts of a token. */
export function parseToken(token: string): { generation: Generation; mastership: number; sequence: number } {
  const [first = '0', mastership = '0', sequence = '0'] = token.split('.');
  return { generation: generation(parseInt(first, 16)), mastership: parseInt(mastership, 16), sequence: parseInt(sequence, 16) };
}

export interface LockId {
  readonly lockspace: string;
  readonly node: number;
  readonly incarnation: number;
  readonly lkid: Lkid;
}

/** Read a printed id. Throws `DLM_USAGE`. */
export function parseLockId(text: string): LockId {
  const match = /^(.+):(\d+)\.(\d+)\.([0-9a-f]{8})$/s.exec(text);
  if (match === null) {
    throw new DlmError('DLM_USAGE', `'${escapeText(text.slice(0, 100))}' is not a lock id`, 'an id looks like default:1.7.0000002a; see: dlm locks');
  }
  return { lockspace: match[1]!, node: Number(match[2]), incarnation: Number(match[3]), lkid: lkid(parseInt(match[4]!, 16)) };
}
