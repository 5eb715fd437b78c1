/**
 * The habits of the owners of a world, if they have any: which flags go together, what an
 * adoption brings, whose orphans are purged.
 *
 * The workload asks. It has chance of its own, so that where there are no habits nothing
 * else is drawn than before.
 */
import type { Prng } from '../base/prng.js';
import { Flag } from '../lock/flags.js';
import { CR, CW, EX, IV, NL, PR, PW, type Mode, type ModeOrNone } from '../lock/mode.js';
import type { CancelStatus } from '../lock/operations.js';
import type { HabitOptions } from './habit-options.js';
import type { Machine } from './machine.js';
import type { Ticket } from './ticket.js';

/** Two flags of a conversion that the law lets go together. QUECVT is taken away again where it does not. */
const pairs = [
  Flag.NOORDER | Flag.CONVDEADLK,
  Flag.NOORDER | Flag.NODLCKWT,
  Flag.NOORDER | Flag.QUECVT,
  Flag.HEADQUE | Flag.QUECVT,
  Flag.HEADQUE | Flag.CONVDEADLK,
  Flag.HEADQUE | Flag.NODLCKWT,
  Flag.CONVDEADLK | Flag.QUECVT,
  Flag.CONVDEADLK | Flag.NODLCKWT,
  Flag.NOQUEUE | Flag.NOQUEUEBAST,
  Flag.NOQUEUE | Flag.QUECVT,
];

/** For what reason owners are in a hurry. */
export type Hurry = 'rushPerMille' | 'flurryPerMille';

/** How long owners flurry once. */
export const flurryMillis = 400;

const absent: HabitOptions = {
  isCrowded: false,
  busyPerMille: 0,
  middlePerMille: 0,
  pairPerMille: 0,
  blindPerMille: 0,
  alternativeValuePerMille: 0,
  deadlockPerMille: 0,
  adoptionPerMille: 0,
  purgeAfarPerMille: 0,
  rushPerMille: 0,
  flurryPerMille: 0,
  stubbornPerMille: 0,
  halfwayPerMille: 0,
  anewPerMille: 0,
};

/** A conversion somewhat other than drawn before. */
export interface Wish {
  readonly mode: Mode;
  readonly flags: number;
}

export class Habits {
  readonly #options: HabitOptions;

  constructor(
    options: HabitOptions | null,
    readonly prng: Prng,
  ) {
    this.#options = options ?? absent;
  }

  /** In the place of an act, this one; null: what was drawn. */
  act(): 'convert' | 'cancel' | null {
    if (!this.#is('busyPerMille')) return null;
    return this.prng.chance(700) ? 'convert' : 'cancel';
  }

  mode(drawn: Mode): Mode {
    return this.#is('middlePerMille') ? this.prng.pick([PR, CW]) : drawn;
  }

  /** What a lock that holds `granted` asks for, in the place of what was drawn. Whether it moves a value is settled already. */
  conversion(granted: ModeOrNone, drawn: Wish, habit: Hurry | null = null): Wish {
    const kept = drawn.flags & Flag.VALBLK;
    // Whoever has little wants much, and at once; whoever has more offers it for what he wants.
    if (habit === 'flurryPerMille' && this.prng.chance(600)) {
      return granted <= CR ? { mode: this.prng.pick([PR, CW, PW, EX]), flags: kept | this.prng.pick([0, Flag.HEADQUE, Flag.CONVDEADLK]) } : { mode: this.mode(drawn.mode), flags: kept | this.prng.pick([0, Flag.CONVDEADLK]) };
    }
    if (granted === NL && this.#is('blindPerMille')) return { mode: this.prng.pick([PW, EX]), flags: 0 };
    // Whoever writes so says what he has written when he gives the mode up.
    if (granted >= PW && this.#is('blindPerMille')) return { mode: this.prng.chance(700) ? NL : this.prng.pick([PR, CW]), flags: Flag.VALBLK };
    const mode = this.mode(drawn.mode);
    return this.#is('pairPerMille') ? { mode, flags: kept | this.prng.pick(pairs) } : { mode, flags: drawn.flags };
  }

  /** What a conversion with an alternative mode says of the value. */
  alternativeValue(granted: ModeOrNone): number {
    if (!this.#is('alternativeValuePerMille')) return 0;
    return granted >= PW && this.prng.chance(200) ? Flag.VALBLK | Flag.IVVALBLK : Flag.VALBLK;
  }

  cancelStatus(): CancelStatus {
    return this.#is('deadlockPerMille') ? 'EDEADLK' : 'ECANCEL';
  }

  /** With which flags somebody adopts an orphan. */
  adoption(): number {
    const brings = this.#is('adoptionPerMille') ? Flag.VALBLK : 0;
    return Flag.ORPHAN | brings | (this.#is('adoptionPerMille') ? 0 : Flag.PERSISTENT);
  }

  /** Another machine whose orphans are purged from here, and whose they were: one owner's or everybody's. Null: nobody's. */
  purgeAfar(here: Machine, machines: readonly Machine[]): { machine: Machine; orphan: Ticket; isOfAll: boolean } | null {
    if (!this.#is('purgeAfarPerMille')) return null;
    const others = machines.filter((one) => one !== here && one.isUp);
    const orphans = others.flatMap((machine) => [...machine.tickets].filter(({ isOrphan, granted }) => isOrphan && granted !== IV).map((orphan) => ({ machine, orphan })));
    return orphans.length === 0 ? null : { ...this.prng.pick(orphans), isOfAll: this.prng.chance(300) };
  }

  /** Somebody is lost, or all is soon to be quiet: which of these locks is somebody about to do something with, and after how long? */
  *hurry(habit: Hurry, tickets: Iterable<Ticket>): Generator<{ ticket: Ticket; delay: number }> {
    const longest = habit === 'flurryPerMille' ? flurryMillis : this.prng.pick([50, 300, 2000]);
    for (const ticket of tickets) if (!ticket.isOrphan && this.#is(habit)) yield { ticket, delay: this.prng.between(1, longest) };
  }

  /** Does it end in a flurry what it holds, or ask for something else? */
  letsGo(habit: Hurry): boolean {
    return habit === 'flurryPerMille' && this.prng.chance(150);
  }

  /** And what it waits for? */
  takesBack(habit: Hurry): boolean {
    return habit !== 'flurryPerMille' || this.prng.chance(100);
  }

  isStubborn(): boolean {
    return this.#is('stubbornPerMille');
  }

  /** Whoever makes way: to which mode at first? Null: as drawn. */
  halfway(granted: ModeOrNone): Mode | null {
    if (granted < PW || !this.#is('halfwayPerMille')) return null;
    return granted === EX && this.prng.chance(500) ? PW : this.prng.pick([CR, CW, PR]);
  }

  writesAnew(granted: ModeOrNone): boolean {
    return granted >= PW && this.#is('anewPerMille');
  }

  #is(habit: Exclude<keyof HabitOptions, 'isCrowded'>): boolean {
    return this.#options[habit] > 0 && this.prng.chance(this.#options[habit]);
  }
}
