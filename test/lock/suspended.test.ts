/**
 * What is granted while applications are suspended: to the recovery process what nobody
 * holds, whoever waits before it; to others what takes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis, ownerId } from '../../src/core/base/ids.js';
import { recoveryMark } from '../../src/core/lock/flags.js';
import { EX, PR, type Mode } from '../../src/core/lock/mode.js';
import { Stage } from './story.js';

const now = millis(0);
const lockspace = 'story';

function suspended(...before: readonly string[]): { stage: Stage; recover: (flags?: number, mode?: Mode) => string[]; resume: () => void } {
  const stage = new Stage();
  for (const call of before) stage.perform(call);
  const space = stage.node.stack(lockspace)!.lockspace;
  space.setSuspended(now, true);
  const recover = (flags = recoveryMark, mode: Mode = EX): string[] =>
    stage.node.step(now, { kind: 'lock', lockspace, owner: ownerId(9), name: 'R', mode, flags, value: null, cookie: null }).map((effect) => (effect.kind === 'complete' ? effect.status : effect.kind));
  return { stage, recover, resume: () => space.setSuspended(now, false) };
}

test('the recovery process passes those who have to wait for its end', () => {
  const { stage, recover, resume } = suspended('A lock EX', 'B lock EX');
  assert.deepEqual(stage.perform('A unlock'), ['A EUNLOCK']);
  assert.deepEqual(recover(0), ['wait'], 'whoever has no mark waits');
  assert.deepEqual(recover(), ['OK', 'block']);
  assert.deepEqual(recover(), ['wait'], 'not one that holds');
  resume();
  assert.match(stage.show('R'), /^G\[.*:EX\] W\[/);
});

test('it also passes a conversion that has to wait, but not what the converter holds', () => {
  const { stage, recover } = suspended('A lock PR', 'B lock PR', 'B convert EX');
  assert.deepEqual(recover()[0], 'wait');
  stage.perform('A unlock');
  assert.doesNotMatch(stage.show('R'), /G\[.*EX/);
  const passed = suspended('A lock NL', 'B lock CW', 'A convert EX');
  passed.stage.perform('B unlock');
  assert.deepEqual(passed.recover(), ['OK', 'block']);
});

test('a holder that asks for the mode it has takes nothing, and may write', () => {
  const { stage } = suspended('A lock EX');
  assert.deepEqual(stage.perform('A convert EX NOQUEUE'), ['A OK EX']);
  assert.deepEqual(suspended('A lock PR').stage.perform('A convert EX NOQUEUE'), ['A EAGAIN PR']);
});

test('whoever passes those who wait is told at once that they do', () => {
  const ordinary = suspended('A lock EX', 'B lock EX');
  ordinary.stage.perform('A unlock');
  assert.deepEqual(ordinary.recover(), ['OK', 'block']);
  const own = suspended('A lock PR');
  assert.deepEqual(own.recover(recoveryMark, EX), ['wait', 'block'], 'for A');
  assert.deepEqual(own.recover(recoveryMark, PR), ['OK', 'block'], 'for the one that waits');
});
