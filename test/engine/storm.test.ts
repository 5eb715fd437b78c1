/**
 * Members of a local cluster join, announce, leave, are stopped, let go on and
 * killed, the registrar as often as others, in an order that a seed draws. Whatever
 * the order: nobody is missing from a view whose process still exists and who has
 * not left, everybody agrees on every view, and in the end on the last one.
 *
 *   ENGINE_SEED=7 bash scripts/test.sh test/engine/storm.test.ts      the same order again
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../kill/processes.js';
import type { Actor, Cast } from './cast.js';
import { local } from './local-kind.js';
import { story } from './suite.js';

const stepCount = 45;
const crowd = 5;

class Storm {
  readonly #cast: Cast;
  #state: number;
  /** Those who are in, and whether they are stopped. */
  readonly #standing = new Map<Actor, boolean>();
  /** From when on who may be missing from a view: it was then killed, or told to leave. */
  readonly #excused = new Map<string, number>();
  readonly happened = { killed: 0, left: 0, stopped: 0, joined: 0 };
  #names = 0;

  constructor(cast: Cast, seed: number) {
    this.#cast = cast;
    this.#state = seed;
  }

  async play(): Promise<void> {
    for (let step = 0; step < stepCount; step += 1) await this.#step(step);
    for (const one of this.#standing.keys()) one.stage.goOn();
    const all = [...this.#standing.keys()];
    for (const one of all) await one.seesMembers(...all.map(({ wish }) => wish.name));
    await until('all have the same last view', () => new Set(all.map(({ last }) => last.id)).size === 1);
    for (const one of this.#cast.actors) this.#checkMissing(one);
  }

  async #step(step: number): Promise<void> {
    const awake = [...this.#standing].filter(([, isStopped]) => !isStopped).map(([one]) => one);
    // Who joins, leaves or is to be heard needs somebody who is awake, the registrar included.
    if (awake.length < this.#standing.size && this.#draw(2) === 0) return this.#wake();
    if (this.#standing.size < 2 || (this.#standing.size < crowd && this.#draw(3) === 0)) return this.#join();
    const one = awake[this.#draw(awake.length)] ?? [...this.#standing.keys()][0]!;
    const what = this.#draw(10);
    if (what < 4) return this.#kill(one);
    if (what < 6) return this.#stop(one);
    if (what < 7 && awake.length === this.#standing.size) return this.#leave(one);
    if (awake.includes(one)) await one.announce({ x: step });
  }

  async #join(): Promise<void> {
    this.#wake();
    this.#names += 1;
    const actor = await this.#cast.join(`n${this.#names}`);
    this.#standing.set(actor, false);
    this.happened.joined += 1;
  }

  async #kill(one: Actor): Promise<void> {
    this.#excused.set(one.wish.name, performance.now());
    this.#standing.delete(one);
    this.happened.killed += 1;
    await one.stage.kill();
  }

  async #stop(one: Actor): Promise<void> {
    await one.stage.stop();
    this.#standing.set(one, true);
    this.happened.stopped += 1;
  }

  async #leave(one: Actor): Promise<void> {
    this.#excused.set(one.wish.name, performance.now());
    this.#standing.delete(one);
    this.happened.left += 1;
    await one.leave();
  }

  #wake(): void {
    for (const one of this.#standing.keys()) {
      one.stage.goOn();
      this.#standing.set(one, false);
    }
  }

  #checkMissing({ views, heardAt }: Actor): void {
    for (const [at, view] of views.entries()) {
      for (const { name } of views[at - 1]?.members ?? []) {
        const isMissing = !view.members.some((one) => one.name === name);
        if (isMissing) assert.ok(heardAt[at]! > (this.#excused.get(name) ?? Infinity), `${name} is missing from view ${view.id} and lives`);
      }
    }
  }

  /** 0 to `count` - 1. */
  #draw(count: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * count);
  }
}

describe('a storm over a local cluster', () => {
  const seed = Number(process.env['ENGINE_SEED'] ?? Date.now() % 100_000);
  story(local, `seed ${seed}`, async (cast, test) => {
    const storm = new Storm(cast, seed);
    await storm.play();
    const { killed, stopped, joined } = storm.happened;
    test.diagnostic(JSON.stringify(storm.happened));
    assert.ok(killed > 0 && stopped > 0 && joined > 0, 'something has happened');
  });
});
