/**
 * A lockspace as the recordings write it down: resources by printable name, locks
 * as `LABEL:GR>RQ`, value blocks as hex without the zeros at the end.
 */
import type { Lkid } from '../../base/ids.js';
import { IV, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { LockDump, LockspaceDump, ResourceDump } from '../../node/snapshot.js';
import type { RecordedResource } from './recording.js';

/** Names at least this long are written as their length. */
const longName = 32;

/** Of several nodes each shows what it is master of. */
export function showState(
  dumps: ReadonlyMap<number, LockspaceDump>,
  labelOf: (node: number, id: Lkid) => string,
  hasSeveral: boolean,
): Record<string, RecordedResource> {
  const shown: Record<string, RecordedResource> = {};
  for (const [node, { resources }] of dumps) {
    for (const resource of resources) {
      if (resource.master !== node) continue;
      let name = showName(resource.name);
      while (name in shown) name += '#';
      const locks = showResource(resource, (lock) => labelOf(lock.holder ?? node, lock.holderLkid ?? lock.lkid));
      shown[name] = hasSeveral ? { ...locks, master: node } : locks;
    }
  }
  return shown;
}

/** A resource's name as recordings print it: unprintable bytes as dots, long names by length. */
export function showName(name: string): string {
  return name.length >= longName ? `len${name.length}` : name.replace(/[^\x20-\x7e]/g, '.');
}

function showResource(resource: ResourceDump, labelOf: (lock: LockDump) => string): RecordedResource {
  const show = (locks: readonly LockDump[]): string[] =>
    locks.map((lock) => `${labelOf(lock)}:${showModes(lock.granted, lock.requested)}`);
  return {
    ...(resource.granted.length > 0 ? { g: show(resource.granted) } : {}),
    ...(resource.converting.length > 0 ? { c: show(resource.converting) } : {}),
    ...(resource.waiting.length > 0 ? { w: show(resource.waiting) } : {}),
    ...(resource.value === null ? {} : { lvb: hexOfBytes(resource.value) }),
    ...(resource.valueState === 'invalid' ? { invalid: true } : {}),
  };
}

function showModes(granted: ModeOrNone, requested: ModeOrNone): string {
  const held = granted === IV ? '' : nameOfMode(granted);
  return requested === IV ? held : `${held}>${nameOfMode(requested)}`;
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hexOfBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('').replace(/(00)+$/, '');
}
