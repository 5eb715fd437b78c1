/**
 * Two sessions and a network between them that does everything to frames that a network
 * can, in virtual time: it loses, repeats and reorders them, cuts the connection, and now
 * and then brings a frame of an earlier life of one side.
 *
 * Asked by the property of sessions and by the suite of links. All chance comes from a
 * seed. What happened is counted, since a property that was never put to the test holds.
 */
import { millis, type Millis } from '../../src/core/base/ids.js';
import type { PeerSession } from '../../src/core/wire/session.js';
import type { Message } from '../../src/core/wire/message.js';
import { lives, numbered, numberIn } from './messages.js';

export interface Weather {
  /** Of a thousand frames: lost, repeated, and frames of an earlier life that turn up. */
  readonly lost: number;
  readonly repeated: number;
  readonly stale: number;
  /** A frame takes 1 to this many milliseconds; in a stream always 1, so that none overtakes another. */
  readonly delayMax: number;
  readonly isLossy: boolean;
}

export const storm: Weather = { lost: 150, repeated: 150, stale: 30, delayMax: 60, isLossy: true };
export const calm: Weather = { lost: 0, repeated: 0, stale: 0, delayMax: 3, isLossy: true };
export const stream: Weather = { lost: 0, repeated: 0, stale: 0, delayMax: 1, isLossy: false };

export type Side = 0 | 1;

interface Arrival {
  readonly at: Millis;
  readonly order: number;
  readonly to: Side;
  readonly frame: Uint8Array;
}

export interface Happened {
  frames: number;
  lost: number;
  repeated: number;
  overtaken: number;
  strangers: number;
  cuts: number;
}

/** Steps after which two sessions that still talk have lost their way. */
const stepsMax = 20_000;

/** Numbers from 0 to below 1, the same for the same seed. */
export function prng(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class LossyPair {
  readonly happened: Happened = { frames: 0, lost: 0, repeated: 0, overtaken: 0, strangers: 0, cuts: 0 };
  readonly sessions: readonly [PeerSession, PeerSession];
  readonly received: readonly [Message[], Message[]] = [[], []];
  readonly #stale: readonly [Uint8Array, Uint8Array];
  readonly #random: () => number;
  #now: Millis = millis(0);
  #order = 0;
  #agenda: Arrival[] = [];

  constructor(
    Session: typeof PeerSession,
    seed: number,
    public weather: Weather,
  ) {
    this.#random = prng(seed);
    const { isLossy } = weather;
    this.sessions = [
      new Session({ self: lives.one, peer: lives.other, isLossy }),
      new Session({ self: lives.other, peer: lives.one, isLossy }),
    ];
    const earlier = millis(0) as unknown as typeof lives.one;
    const former = (self: typeof lives.one, peer: typeof lives.one): Uint8Array => {
      const session = new Session({ self, peer, isLossy });
      session.send(numbered(666));
      return session.flush(this.#now)[0]!;
    };
    // To side 0 from a former life of side 1; to side 1 from side 0, which means a former life of side 1.
    this.#stale = [former(earlier, lives.one), former(lives.one, earlier)];
  }

  send(from: Side, message: Message): void {
    this.sessions[from].send(message);
  }

  /** Hand over what was sent. */
  flush(from: Side): void {
    for (const frame of this.sessions[from].flush(this.#now)) this.#launch(from, frame);
  }

  /** The connection is gone with all that is on its way, and there is a new one. */
  cut(): void {
    this.happened.cuts += 1;
    this.#agenda = [];
    for (const side of [0, 1] as const) {
      this.sessions[side].reconnected(this.#now);
      this.flush(side);
    }
  }

  /** Let that much time pass. */
  pass(time: number): void {
    const end = millis(this.#now + time);
    for (let steps = 0; this.#step(end); steps += 1) {
      if (steps > stepsMax) throw new Error('the two still talk, about nothing');
    }
    this.#now = end;
  }

  /** Until nothing is on its way and nobody waits for a time. */
  settle(): void {
    this.weather = { ...this.weather, lost: 0, repeated: 0, stale: 0 };
    for (let steps = 0; this.#step(millis(Infinity)); steps += 1) {
      if (steps > stepsMax) throw new Error('the two still talk, about nothing');
    }
  }

  /** What is next until then; false if there is nothing. */
  #step(end: Millis): boolean {
    const arrival = this.#agenda[0];
    const [one, other] = this.sessions.map((session) => session.nextDeadline() ?? Infinity) as [number, number];
    const deadline = Math.min(one, other);
    const at = Math.min(arrival?.at ?? Infinity, deadline);
    if (at > end || at === Infinity) return false;
    this.#now = millis(Math.max(at, this.#now));
    if (deadline <= at) {
      this.flush(one <= other ? 0 : 1);
      return true;
    }
    this.#agenda.shift();
    this.#arrive(arrival!);
    return true;
  }

  #arrive({ to, frame }: Arrival): void {
    const outcome = this.sessions[to].receive(this.#now, frame);
    if (outcome.kind === 'malformed') throw outcome.error;
    if (outcome.kind === 'stranger') this.happened.strangers += 1;
    else this.received[to].push(...outcome.messages);
  }

  #launch(from: Side, frame: Uint8Array): void {
    this.happened.frames += 1;
    const to = (1 - from) as Side;
    if (this.#chance(this.weather.stale)) this.#put(to, this.#stale[to]);
    if (this.#chance(this.weather.lost)) {
      this.happened.lost += 1;
      return;
    }
    this.#put(to, frame);
    if (!this.#chance(this.weather.repeated)) return;
    this.happened.repeated += 1;
    this.#put(to, frame);
  }

  #put(to: Side, frame: Uint8Array): void {
    const at = millis(this.#now + 1 + Math.floor(this.#random() * this.weather.delayMax));
    const place = this.#agenda.findIndex((other) => other.at > at);
    if (this.#agenda.some((other) => other.to === to && other.at > at)) this.happened.overtaken += 1;
    const arrival = { at, order: (this.#order += 1), to, frame: frame.slice() };
    if (place < 0) this.#agenda.push(arrival);
    else this.#agenda.splice(place, 0, arrival);
  }

  #chance(perMille: number): boolean {
    return this.#random() * 1000 < perMille;
  }
}

/** The numbers that a side has been sent, in the order of their arrival. */
export function numbersAt(pair: LossyPair, side: Side): number[] {
  return pair.received[side].map(numberIn);
}
