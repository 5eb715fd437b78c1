/**
 * The signals that would end a command, caught for as long as it has something to
 * clean up: a request to take back, a child to tell.
 *
 * Nothing exits in here. Whoever waits hears of the signal, finishes, and ends the
 * command as one that the signal has ended (own-end.ts).
 */
import { constants } from 'node:os';
import { Failure, isDlmError } from './report.js';

const caught = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export type EndSignal = (typeof caught)[number];

/** 128 and the signal's number. */
export function exitOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** How a command ends that a signal has ended: see `Failure`. */
export function bySignal(signal: NodeJS.Signals): { exit: number; signal: NodeJS.Signals } {
  return { exit: exitOfSignal(signal), signal };
}

/** What came of work that a signal may have called off: then it has ended by that signal. */
export function endedBy(signal: NodeJS.Signals | null, error: unknown): unknown {
  return signal !== null && isDlmError(error, 'DLM_CANCELLED') ? new Failure(error, bySignal(signal)) : error;
}

export class SignalWatch {
  /** The first that came. */
  first: EndSignal | null = null;
  /** Who hears of each one. */
  listener: (signal: EndSignal) => void = () => undefined;
  readonly #abort = new AbortController();
  readonly #heard = (signal: NodeJS.Signals): void => this.#hear(signal as EndSignal);

  constructor() {
    for (const signal of caught) process.on(signal, this.#heard);
  }

  /** Aborted by the first signal. */
  get aborted(): AbortSignal {
    return this.#abort.signal;
  }

  /** A key on the terminal stops us, and not a child that has left the terminal: stop and go on together. */
  stopTogether(child: { pause(): void; resume(): void }): void {
    let isStopped = false;
    process.on('SIGTSTP', () => {
      isStopped = true;
      child.pause();
      process.kill(process.pid, 'SIGSTOP');
    });
    process.on('SIGCONT', () => {
      if (isStopped) child.resume();
      isStopped = false;
    });
  }

  /** From now on signals do again what they always do. */
  stop(): void {
    for (const signal of caught) process.off(signal, this.#heard);
  }

  #hear(signal: EndSignal): void {
    this.first ??= signal;
    this.#abort.abort();
    this.listener(signal);
  }
}
