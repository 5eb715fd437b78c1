/**
 * A moment on two clocks: that of timers, and that of the machine, which goes on while
 * the machine is suspended and no timer runs.
 *
 * Asked by engines whose members must stop at a certain moment: for the others time goes
 * on, so it has come as soon as either clock says so.
 *
 * Source: clock_gettime(2), CLOCK_MONOTONIC and CLOCK_BOOTTIME.
 */
import { uptime } from 'node:os';

export interface Moment {
  /** On `performance.now()`. */
  readonly at: number;
  /** Since the machine has started, in milliseconds. */
  readonly up: number;
}

export function present(): Moment {
  return { at: performance.now(), up: uptime() * 1_000 };
}

export function after({ at, up }: Moment, millis: number): Moment {
  return { at: at + millis, up: up + millis };
}

export function hasCome(moment: Moment, now: Moment = present()): boolean {
  return now.at >= moment.at || now.up >= moment.up;
}
