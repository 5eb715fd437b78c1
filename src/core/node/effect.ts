/**
 * Everything a node can ask for. The driver carries effects out in order.
 *
 * A call that is accepted ends in one `complete`, now or after a `wait`. The
 * exceptions complete nothing: a cancel of a granted lock, and an adoption.
 */
import type { Lkid } from '../base/ids.js';
import type { Rule } from '../lock/flags.js';
import type { Mode } from '../lock/mode.js';
import type { Refusal } from '../base/status.js';
import type { Block, Complete, Wait } from '../lock/turn.js';
import type { Input } from './input.js';

/** The call was not accepted and has changed nothing. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly call: Input;
  readonly code: Refusal;
  /** The rule it breaks, where there is one. */
  readonly rule: Rule | null;
}

/** An orphan has a new owner. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly cookie: unknown;
  readonly lkid: Lkid;
  readonly mode: Mode;
  readonly mastership: number;
  readonly sequence: number;
}

export type Effect = Complete | Block | Wait | Refuse | Adopt;
