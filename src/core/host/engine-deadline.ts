/**
 * The moment from which on the others may count this node as gone, as its engine moves it
 * on, and whether a node that stops then stops early enough.
 *
 *     last word of the engine      the deadline            the last command has ended    others grant
 *       ├───────── stopMillis ───────────┤── its grace ──────────────┤── slack ──┊
 *       ╰──────────────────────────── regrantMillis ─────────────────────────────╯
 *
 * A node that is stopped itself (a frozen machine) cannot keep it: against that only a
 * fence helps, or a resource that checks tokens.
 */
import { DlmError } from '../base/errors.js';
import type { Engine } from './engine/engine.js';
import { graceMillis } from './process-family.js';

/** For noticing, signalling, and clocks that differ. */
const slackMillis = 1_000;

/** What a node needs to stop once it knows that it is out. */
export const stoppingMillis = graceMillis + slackMillis;

/** No timer can be set for longer. */
const timerMax = 0x7fff_ffff;

/** A node that has nothing to lose waits so long for its engine, in case the others have noticed nothing. */
const lingerMillisDefault = 60_000;

export class EngineDeadline {
  /** It has come: nothing may be done from now on. */
  passed: () => void = () => undefined;
  /** And nothing was heard for a long time after it. */
  stayed: () => void = () => undefined;
  #at = Infinity;
  readonly #lingerMillis: number;
  #timer: NodeJS.Timeout | null = null;
  #lingering: NodeJS.Timeout | null = null;

  constructor(lingerMillis: number = lingerMillisDefault) {
    this.#lingerMillis = lingerMillis;
  }

  /** On `performance.now()`; Infinity: there is none. */
  set(at: number): void {
    this.#at = at;
    if (this.#lingering !== null && performance.now() < at) {
      clearTimeout(this.#lingering);
      this.#lingering = null;
    }
    if (this.#lingering !== null) return;
    if (this.#timer !== null && at !== Infinity) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#arm();
  }

  /** It is moved on many times a second: a timer that comes too early is cheaper than one that is set anew each time. */
  #arm(): void {
    if (this.#at === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (performance.now() < this.#at) this.#arm();
      else this.#pass();
    }, Math.min(Math.max(0, this.#at - performance.now()), timerMax));
  }

  #pass(): void {
    this.#lingering = setTimeout(() => this.stayed(), this.#lingerMillis);
    this.passed();
  }
}

/** Are commands under locks gone before others may be granted them? Throws `DLM_CONFIG_INVALID`. */
export function checkBudget({ budget }: Pick<Engine, 'budget'>): void {
  if (budget === undefined) return;
  const needed = budget.stopMillis + stoppingMillis;
  if (needed < budget.regrantMillis) return;
  throw new DlmError(
    'DLM_CONFIG_INVALID',
    `a node that is cut off stops after ${needed / 1000} s at the latest (${budget.stopMillis / 1000} s until it knows, ${graceMillis / 1000} s for each command to end, ` +
      `${slackMillis / 1000} s in reserve), and others may be granted its locks after ${budget.regrantMillis / 1000} s already`,
    'let the engine wait longer before it calls a member gone',
  );
}
