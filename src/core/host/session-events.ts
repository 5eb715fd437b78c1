/**
 * From the events of a session back to the callbacks they were made from.
 */
import { lkid, type Lkid } from '../base/ids.js';
import type { Status } from '../base/status.js';
import { Result, type ResultName } from '../lock/flags.js';
import type { ValueState } from '../lock/lvb.js';
import { IV, modeNamed, type Mode } from '../lock/mode.js';
import { Block, Complete, Wait } from '../lock/turn.js';
import type { Adopt } from '../node/effect.js';
import { errorFrom } from './remote-error.js';
import { parseToken } from './lock-id.js';
import type { Listener } from './port.js';

interface OfLock {
  readonly lkid: number;
}

export type Event =
  | (OfLock & { readonly event: 'waiting' })
  | (OfLock & { readonly event: 'blocking'; readonly mode: string })
  | (OfLock & { readonly event: 'adopted'; readonly mode: string; readonly token: string })
  | (OfLock & { readonly event: 'lost'; readonly code: string; readonly message: string; readonly hint: string })
  | (OfLock & {
      readonly event: 'complete';
      readonly status: Status;
      readonly mode: string | null;
      readonly token: string;
      readonly results?: readonly ResultName[];
      readonly valueState?: ValueState;
      readonly valueHex?: string;
    });

/** Hand an event to the listener of its lock. Events nobody knows, of a later version, are passed over. */
export function tell(listener: Listener, event: Event): void {
  const id = lkid(event.lkid);
  switch (event.event) {
    case 'waiting':
      return listener.wait(new Wait(listener, id));
    case 'blocking':
      return listener.block(new Block(listener, id, modeNamed(event.mode)!));
    case 'adopted':
      return listener.adopt(adoptOf(listener, id, event));
    case 'complete':
      return listener.complete(completeOf(listener, id, event));
    case 'lost':
      return listener.lost(errorFrom(event));
  }
}

function completeOf(listener: Listener, id: Lkid, event: Event & { event: 'complete' }): Complete {
  const { generation, mastership, sequence } = parseToken(event.token);
  const results = (event.results ?? []).reduce((set, name) => set | Result[name], 0);
  const value = event.valueHex === undefined ? null : Uint8Array.from(Buffer.from(event.valueHex, 'hex'));
  const mode = event.mode === null ? IV : modeNamed(event.mode)!;
  return new Complete(listener, id, event.status, mode, results, value, event.valueState ?? 'none', generation, mastership, sequence);
}

function adoptOf(listener: Listener, id: Lkid, event: Event & { event: 'adopted' }): Adopt {
  return { kind: 'adopt', cookie: listener, lkid: id, mode: modeNamed(event.mode) as Mode, ...parseToken(event.token) };
}
