/**
 * One lock as a session hears of it: callbacks in, events out.
 *
 * A session has one of these for every lock it asked for, and one for every lock
 * of somebody else that it has converted or unlocked.
 */
import type { DlmError } from '../base/errors.js';
import type { Lkid } from '../base/ids.js';
import { namesOfResults } from '../lock/flags.js';
import { IV, nameOfMode, type ModeOrNone } from '../lock/mode.js';
import type { Block, Complete } from '../lock/turn.js';
import type { Adopt } from '../node/effect.js';
import { formatToken } from './lock-id.js';
import type { Listener } from './port.js';
import { hexOfBytes } from './text.js';

/** The session, as its locks need it. */
interface Speaker {
  readonly incarnation: number;
  event(event: object): void;
  /** How the lock stands has changed. */
  changed(lock: SessionLock): void;
}

export class SessionLock implements Listener {
  lkid = 0 as Lkid;
  isWaiting = false;
  isGone = false;
  readonly #session: Speaker;

  constructor(
    session: Speaker,
    readonly lockspace: string,
    /** The request that asked for it; null for a lock of somebody else. */
    readonly request: number | null,
  ) {
    this.#session = session;
  }

  complete(effect: Complete): void {
    this.#stands(effect.lkid, false, effect.mode === IV);
    this.#session.event({
      event: 'complete',
      lkid: effect.lkid,
      status: effect.status,
      mode: nameOrNull(effect.mode),
      token: formatToken(effect.generation, effect.mastership, effect.sequence),
      ...(effect.results === 0 ? {} : { results: namesOfResults(effect.results) }),
      ...(effect.valueState === 'none' ? {} : { valueState: effect.valueState }),
      ...(effect.value === null ? {} : { valueHex: hexOfBytes(effect.value) }),
    });
  }

  wait(effect: { readonly lkid: Lkid }): void {
    this.#stands(effect.lkid, true, false);
    this.#session.event({ event: 'waiting', lkid: effect.lkid });
  }

  block(effect: Block): void {
    this.#session.event({ event: 'blocking', lkid: effect.lkid, mode: nameOfMode(effect.mode) });
  }

  adopt(effect: Adopt): void {
    this.#stands(effect.lkid, false, false);
    this.#session.event({
      event: 'adopted',
      lkid: effect.lkid,
      mode: nameOfMode(effect.mode),
      token: formatToken(effect.generation, effect.mastership, effect.sequence),
    });
  }

  /** The session answers refusals itself. */
  refuse(): void {}

  lost({ code, message, hint }: DlmError): void {
    this.#stands(this.lkid, false, true);
    this.#session.event({ event: 'lost', lkid: this.lkid, code, message, hint });
  }

  #stands(lkid: Lkid, isWaiting: boolean, isGone: boolean): void {
    this.lkid = lkid;
    this.isWaiting = isWaiting;
    this.isGone = isGone;
    this.#session.changed(this);
  }
}

function nameOrNull(mode: ModeOrNone): string | null {
  return mode === IV ? null : nameOfMode(mode);
}
