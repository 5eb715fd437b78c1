/**
 * What owners do in some worlds that they never do in others: what came to be drawn
 * late. Drawn for a seed, to be printed.
 *
 * It is drawn apart, so that a world without it is as it was. Each habit is absent from
 * most worlds that have any.
 */
import type { Prng } from '../base/prng.js';

export interface HabitOptions {
  /** Do they all want a few names, each more than one lock, and rarely EX? */
  readonly isCrowded: boolean;
  /** Of a thousand acts, how many convert or cancel, whatever it would have been. */
  readonly busyPerMille: number;
  /** Of a thousand locks and conversions, how many are for PR or CW. */
  readonly middlePerMille: number;
  /** Of a thousand conversions, how many have two flags. */
  readonly pairPerMille: number;
  /** Of a thousand conversions from NL to PW and back, how many are made to write without having read. */
  readonly blindPerMille: number;
  /** Of a thousand conversions with an alternative mode, how many bring a value or say that there is none. */
  readonly alternativeValuePerMille: number;
  /** Of a thousand cancels, how many end a deadlock. */
  readonly deadlockPerMille: number;
  /** Of a thousand adoptions, how many bring a value, and how many do not say PERSISTENT. */
  readonly adoptionPerMille: number;
  /** Of a thousand purges of orphans, how many are of another node's. */
  readonly purgeAfarPerMille: number;
  /** When somebody is lost: of a thousand locks, how many are converted or have taken back what they wait for, at once. */
  readonly rushPerMille: number;
  /** Before all is quiet: of a thousand locks, how many are converted or have taken back what they wait for, some times over. */
  readonly flurryPerMille: number;
  /** Of a thousand locks whose owner is in the way of others, how many are not given up for it. */
  readonly stubbornPerMille: number;
  /** Of a thousand writers that make way, how many give up only a part of their mode at first. */
  readonly halfwayPerMille: number;
  /** Of a thousand writers whose last call had no value block, how many write a value all the same when they end. */
  readonly anewPerMille: number;
}

/** So many of a thousand worlds have owners with habits. */
const worldsPerMille = 350;

export function drawHabits(prng: Prng): HabitOptions | null {
  if (!prng.chance(worldsPerMille)) return null;
  return {
    isCrowded: prng.chance(600),
    busyPerMille: prng.pick([0, 200, 400, 600]),
    middlePerMille: prng.pick([0, 500, 800]),
    pairPerMille: prng.pick([0, 200, 500]),
    blindPerMille: prng.pick([0, 0, 300]),
    alternativeValuePerMille: prng.pick([0, 500]),
    deadlockPerMille: prng.pick([0, 500]),
    adoptionPerMille: prng.pick([0, 500]),
    purgeAfarPerMille: prng.pick([0, 500]),
    rushPerMille: prng.pick([0, 300, 800]),
    flurryPerMille: prng.pick([0, 500, 800]),
    stubbornPerMille: prng.pick([0, 500, 900]),
    halfwayPerMille: prng.pick([0, 500]),
    anewPerMille: prng.pick([0, 500]),
  };
}
