/**
 * A lock call of a simulated owner and the lock that came of it. It is the cookie
 * that the node hands back.
 */
import type { Lkid, OwnerId } from '../base/ids.js';
import { IV, type ModeOrNone } from '../lock/mode.js';
import type { Token } from './disk.js';
import type { ClaimId, Life } from './event.js';

export class Ticket {
  lkid: Lkid | null = null;
  granted: ModeOrNone = IV;
  /** What it waits for the end of. */
  pending: 'lock' | 'convert' | 'unlock' | 'adopt' | null;
  /** What an unlock has overtaken, and may yet be refused for. */
  overtaken: Ticket['pending'] = null;
  isCancelling = false;
  /** Somebody tried to cancel it. Where that comes too late nobody is told, and an unlock behind it may be refused. */
  wasCancelled = false;
  isOrphan = false;
  isEnded = false;
  /** What its flags were before the conversion it asks for. */
  flagsBefore = 0;
  /** That of the latest grant. */
  token: Token | null = null;
  /** Somebody is kept waiting by it. */
  isWanted = false;

  constructor(
    readonly id: ClaimId,
    readonly life: Life,
    readonly owner: OwnerId,
    readonly lockspace: string,
    readonly resource: string,
    /** The flags of its last lock or convert call. */
    public flags: number,
    operation: 'lock' | 'adopt',
  ) {
    this.pending = operation;
  }

  /** A conversion or an unlock is refused. An unlock that has overtaken the conversion goes on. */
  refuse(operation: 'convert' | 'unlock'): void {
    if (operation === 'convert') this.flags = this.flagsBefore;
    if (operation === 'convert' && this.pending === 'unlock') this.overtaken = null;
    else this.pending = operation === 'unlock' ? this.overtaken : null;
  }
}
