/**
 * Random calls on random nodes, with deaths and returns at any moment: whatever the
 * order in which messages and views come, nobody is granted what another holds, every
 * call ends once, and in the end all nodes agree on every lock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CR, IV, areMiddlePair, compatible, modes, type Mode, type ModeOrNone } from '../../src/core/lock/mode.js';
import { Flag } from '../../src/core/lock/flags.js';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import { ownerId, type Lkid } from '../../src/core/base/ids.js';
import type { Effect } from '../../src/core/node/effect.js';
import { disagreements } from '../../src/core/sim/agreement.js';
import { Troupe } from './troupe.js';

/** A small generator of chance, the same for the same seed. */
function drawing(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  };
}

interface Held {
  readonly node: number;
  readonly name: string;
  lkid: Lkid | null;
  mode: ModeOrNone;
  /** Calls that have not ended. */
  open: number;
  isOver: boolean;
  /** Has it been unlocked, so that its end is on its way? */
  isLeaving: boolean;
}

const names = ['a', 'b', 'c', 'd'];
const lockspace = 'ls';

class Story {
  readonly locks: Held[] = [];
  readonly troupe: Troupe;
  readonly trace: string[] = [];

  constructor(readonly seed: number, readonly draw: (count: number) => number, nodir: boolean) {
    this.troupe = new Troupe(draw, (node, effect) => this.#observe(node, effect), { ...defaultConfig, nodir });
  }

  #observe(node: number, effect: Effect): void {
    if (effect.kind === 'recovered') this.trace.push(`n${node} recovered ${effect.generation}`);
    if (effect.kind === 'send' && process.env['SEND'] !== undefined) this.trace.push(`n${node} -> n${effect.to} ${JSON.stringify(effect.message, (key, value: unknown) => (key === 'value' || key === 'lockspace' ? undefined : value))}`);
    if (!('cookie' in effect)) return;
    const lock = effect.cookie as Held;
    assert.equal(lock.node, node);
    lock.lkid = effect.lkid;
    if (effect.kind === 'complete') this.#completed(lock, effect.status, effect.mode);
    else if (effect.kind === 'block') assert.ok(!lock.isOver, this.tell('a blocking callback after the end'));
  }

  #completed(lock: Held, status: string, mode: ModeOrNone): void {
    this.trace.push(`n${lock.node} ${lock.name} #${this.locks.indexOf(lock)} ${status} ${mode}`);
    assert.ok(!lock.isOver, this.tell('a completion after the end'));
    lock.open -= 1;
    // What is granted to somebody who has let go of it already, he does not have.
    lock.mode = lock.isLeaving ? IV : mode;
    if (mode === IV) lock.isOver = true;
    else this.#mustExclude(lock);
  }

  #mustExclude(lock: Held): void {
    for (const other of this.locks) {
      if (other === lock || other.name !== lock.name || other.mode === IV) continue;
      assert.ok(compatible(other.mode, lock.mode), this.tell(`#${this.locks.indexOf(lock)} and #${this.locks.indexOf(other)} exclude each other`));
    }
  }

  tell(what: string): string {
    return `seed ${this.seed}: ${what}\n${this.trace.slice(-Number(process.env['TRACE'] ?? 40)).join('\n')}\n${this.troupe.standing(lockspace)}`;
  }

  act(): void {
    const alive = [...this.troupe.players.keys()];
    const node = alive[this.draw(alive.length)]!;
    const mine = this.locks.filter((lock) => lock.node === node && !lock.isOver && lock.lkid !== null);
    const lock = mine.length > 0 ? mine[this.draw(mine.length)]! : null;
    const kind = this.draw(10);
    if (!this.troupe.players.get(node)!.node.hasLockspace(lockspace)) return;
    if (lock === null || kind < 4) this.lock(node);
    else if (kind < 6 && lock.open === 0) this.convert(lock);
    else if (kind < 9) this.unlock(lock);
    else this.cancel(lock);
  }

  lock(node: number): void {
    const lock: Held = { node, name: names[this.draw(names.length)]!, lkid: null, mode: IV, open: 1, isOver: false, isLeaving: false };
    this.locks.push(lock);
    const mode = modes[this.draw(6)]!;
    const flags = (this.draw(4) === 0 ? Flag.NOQUEUE : 0) | (this.draw(3) === 0 ? Flag.VALBLK : 0);
    this.trace.push(`n${node} lock #${this.locks.length - 1} ${lock.name} ${mode} ${flags}`);
    const value = flags & Flag.VALBLK ? new Uint8Array(32).fill(this.locks.length) : null;
    this.#input(node, lock, { kind: 'lock', lockspace, owner: ownerId(1), name: lock.name, mode, flags, value, cookie: lock });
  }

  convert(lock: Held): void {
    const mode = modes[this.draw(6)] as Mode;
    this.trace.push(`n${lock.node} convert #${this.locks.indexOf(lock)} ${mode}`);
    // What the caller gives up, others may have before the caller hears of it.
    const before = lock.mode;
    lock.open += 1;
    if (before !== IV && areMiddlePair(before, mode)) lock.mode = CR;
    else if (mode < before) lock.mode = mode;
    if (this.#input(lock.node, lock, { kind: 'convert', lockspace, lkid: lock.lkid!, mode, flags: 0, value: null })) lock.mode = before;
  }

  unlock(lock: Held): void {
    this.trace.push(`n${lock.node} unlock #${this.locks.indexOf(lock)}`);
    lock.open += 1;
    // What the caller gives up, others may have before the caller hears of it.
    const before = lock.mode;
    const wasLeaving = lock.isLeaving;
    lock.mode = IV;
    lock.isLeaving = true;
    if (this.#input(lock.node, lock, { kind: 'unlock', lockspace, lkid: lock.lkid!, flags: Flag.FORCEUNLOCK, value: null })) {
      lock.mode = before;
      lock.isLeaving = wasLeaving;
    }
  }

  cancel(lock: Held): void {
    this.trace.push(`n${lock.node} cancel #${this.locks.indexOf(lock)}`);
    this.#input(lock.node, lock, { kind: 'cancel', lockspace, lkid: lock.lkid!, flags: 0, status: 'ECANCEL' });
  }

  /** Was it refused? */
  #input(node: number, lock: Held, input: Parameters<Troupe['input']>[1]): boolean {
    const refused = this.troupe.input(node, input).find((effect) => effect.kind === 'refuse' && effect.call === input);
    if (refused !== undefined) {
      this.trace.push(`   refused ${refused.kind === 'refuse' ? refused.code : ''}`);
      lock.open -= input.kind === 'cancel' ? 0 : 1;
    }
    return refused !== undefined;
  }

  kill(node: number): void {
    this.trace.push(`n${node} dies`);
    this.troupe.kill(node);
    for (const lock of this.locks) {
      if (lock.node !== node) continue;
      lock.mode = IV;
      lock.isOver = true;
    }
  }

  /** Every lock of every holder stands at its master as the holder knows it, and no other. */
  mustAgree(): void {
    assert.deepEqual(disagreements([...this.troupe.players.values()], lockspace), [], this.tell('they do not agree'));
  }
}

function play(seed: number, nodir: boolean): Story {
  const draw = drawing(seed);
  const story = new Story(seed, draw, nodir);
  for (let id = 1; id <= 4; id += 1) story.troupe.start(id);
  story.troupe.joinAll(lockspace);
  for (let turn = 0; turn < 300; turn += 1) {
    const what = draw(100);
    if (what < 30) story.act();
    else if (what < 98) story.troupe.turn();
    else if (what === 98 && story.troupe.players.size > 2) {
      const alive = [...story.troupe.players.keys()];
      story.kill(alive[draw(alive.length)]!);
    } else {
      const gone = [1, 2, 3, 4].filter((id) => !story.troupe.players.has(id));
      if (gone.length === 0) continue;
      story.trace.push(`n${gone[0]} starts`);
      story.troupe.start(gone[0]!);
      story.troupe.input(gone[0]!, { kind: 'joinLockspace', lockspace, config: story.troupe.config });
    }
  }
  story.troupe.settle();
  story.mustAgree();
  for (const lock of story.locks) if (!lock.isOver && lock.lkid !== null) story.unlock(lock);
  story.troupe.settle();
  story.mustAgree();
  for (const [index, lock] of story.locks.entries()) assert.ok(lock.isOver, story.tell(`#${index} never ended`));
  return story;
}

const seeds = Number(process.env['SEEDS'] ?? 300);
const first = Number(process.env['SEED'] ?? 1);
for (const nodir of [false, true]) {
  test(`${seeds} stories ${nodir ? 'without' : 'with'} a directory`, () => {
    for (let seed = first; seed < first + seeds; seed += 1) {
      try {
        play(seed, nodir);
      } catch (error) {
        (error as Error).message = `seed ${seed}: ${(error as Error).message}`;
        throw error;
      }
    }
  });
}
