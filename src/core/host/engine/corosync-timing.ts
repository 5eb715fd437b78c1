/**
 * How long a member on corosync may act without having heard itself, and how long the
 * others wait before they call one gone that they do not hear.
 *
 *     its last beat that came back        it stops            the view without it
 *     ├──────────── stopMillis ───────────┤                   │
 *     ├──────────── regrantMillis ────────────────────────────┤
 *
 * Everything follows from how corosync is set up: while it looks for a new ring nobody
 * hears anything, and that alone must not put anybody out. The difference covers what a
 * member hears of itself in a ring that has already broken, until its own corosync misses
 * the token; and a machine that is late.
 */
import { DlmError } from '../../base/errors.js';

export interface CorosyncTiming {
  readonly heartbeatMillis: number;
  /** How long after its last beat that came back a member may act. */
  readonly stopMillis: number;
  /** How long after the last beat the others have heard there is no view without it, unless its process has ended. */
  readonly regrantMillis: number;
}

export interface TimingOptions {
  readonly heartbeatMillis?: number;
  readonly stopMillis?: number;
  /** What the member needs to end its protected commands once it knows that it is out. */
  readonly graceMillis?: number;
}

const heartbeatDefault = 500;
/** A new ring may take longer than it should by this, or by a quarter. */
const delayMin = 1_000;
const lateMillis = 500;

/** `token` and `consensus` as corosync has them in force. Throws `DLM_USAGE` if a member could be called gone too early, or never lasts. */
export function timingFor(token: number, consensus: number, options: TimingOptions = {}): CorosyncTiming {
  const { heartbeatMillis = heartbeatDefault, graceMillis = 0 } = options;
  const newRing = token + consensus;
  const stopMillis = options.stopMillis ?? newRing + Math.max(delayMin, newRing / 4) + 2 * heartbeatMillis;
  const least = newRing + 2 * heartbeatMillis;
  if (stopMillis < least) {
    throw new DlmError(
      'DLM_USAGE',
      `a member is to stop after ${stopMillis} ms without a beat, but corosync may need ${newRing} ms for a new ring, and a beat comes every ${heartbeatMillis} ms`,
      `allow ${least} ms at least, or lower totem.token in corosync.conf`,
    );
  }
  return { heartbeatMillis, stopMillis, regrantMillis: stopMillis + graceMillis + marginFor(token) };
}

/** What is added to another member's own word on how long it may act. */
export function marginFor(token: number): number {
  return token + lateMillis;
}
