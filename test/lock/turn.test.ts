/**
 * One turn of callbacks: blocking callbacks that tell a holder nothing new are
 * dropped; completions are not, but for locks whose owner is just ending.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lkid, millis, ownerId } from '../../src/core/base/ids.js';
import { Outbox } from '../../src/core/base/outbox.js';
import { defaultLaw } from '../../src/core/lock/law.js';
import { Lock } from '../../src/core/lock/lock.js';
import { EX, modeNamed, nameOfMode } from '../../src/core/lock/mode.js';
import { Resource } from '../../src/core/lock/resource.js';
import { nowhere } from '../../src/core/lockspace/resource-table.js';
import { Turn, type Callback } from '../../src/core/lock/turn.js';

/** What arrives when a holder of `held` is told of these modes in turn; `ok` is a completion, `|` a new turn. */
function heard(held: string, told: string): string {
  const outbox = new Outbox<Callback>();
  const turn = new Turn(defaultLaw, outbox);
  const lock = new Lock(lkid(1), new Resource('R', 1, nowhere), ownerId(1), null, millis(0));
  lock.granted = modeNamed(held)!;
  turn.begin(millis(0));
  for (const word of told.split(' ')) {
    if (word === '|') turn.begin(millis(0));
    else if (word === 'ok') turn.complete(lock, 'OK');
    else turn.block(lock, modeNamed(word)!);
  }
  return outbox.take().map((effect) => (effect.kind === 'block' ? nameOfMode(effect.mode) : 'ok')).join(' ');
}

test('the same mode again is dropped', () => assert.equal(heard('EX', 'PR PR'), 'PR'));
test('a lower mode after PW or EX is dropped', () => assert.equal(heard('EX', 'EX PR CW PW'), 'EX'));
test('a higher mode is not', () => assert.equal(heard('EX', 'CR PR EX'), 'CR PR EX'));
test('CW after PR is not, for PR does not cover it', () => assert.equal(heard('EX', 'PR CW'), 'PR CW'));
test('a completion in between makes it news again', () => assert.equal(heard('EX', 'EX ok EX'), 'EX ok EX'));
test('and so does a turn', () => assert.equal(heard('EX', 'EX | EX'), 'EX EX'));
test('a mode the holder does not block is dropped', () => assert.equal(heard('PR', 'CR PR CW'), 'CW'));
test('but counts as told: what it covers is dropped with it', () => assert.equal(heard('NL', 'EX PW'), ''));
test('completions are never dropped', () => assert.equal(heard('EX', 'ok ok'), 'ok ok'));

test('an orphan is not told whom it blocks, but what it would have been told is remembered', () => {
  const outbox = new Outbox<Callback>();
  const turn = new Turn(defaultLaw, outbox);
  const lock = new Lock(lkid(1), new Resource('R', 1, nowhere), null, null, millis(0));
  lock.granted = EX;
  turn.begin(millis(0));
  turn.block(lock, EX);
  assert.deepEqual(outbox.take(), []);
  assert.equal(lock.told, EX);
});

test('completions of an orphan are told, for somebody may work on it by its id; those of a dying lock are not', () => {
  const outbox = new Outbox<Callback>();
  const turn = new Turn(defaultLaw, outbox);
  const lock = new Lock(lkid(1), new Resource('R', 1, nowhere), null, null, millis(0));
  turn.begin(millis(0));
  turn.dying = new Set([lock]);
  turn.complete(lock, 'OK');
  assert.deepEqual(outbox.take(), []);
  turn.begin(millis(0));
  turn.complete(lock, 'OK');
  assert.equal(outbox.take().length, 1);
});
