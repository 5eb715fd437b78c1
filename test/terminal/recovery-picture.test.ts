/**
 * A recovery as a picture: what is in it, from records of every kind.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RecordedStep, RecoveryRecord } from '../../src/core/index.js';
import { recoveryPage, recoveryPicture } from '../../src/terminal/recovery-picture.js';

const at = '2026-03-01T12:00:00.000Z';

/** `fence begun 1 3 0.5`: step, state, node, the failed one or -, and when. */
function stepsOf(lines: string): RecordedStep[] {
  return lines.split(', ').map((line) => {
    const [step, state, node, victim, millis] = line.split(' ');
    return { step, state, node: Number(node), victim: victim === '-' ? null : Number(victim), words: '', at, millis: Number(millis) } as RecordedStep;
  });
}

function record(over: Partial<RecoveryRecord> = {}): RecoveryRecord {
  return {
    kind: 'recovery', lockspace: 'mail', generation: 4, order: 'gfs', node: 1, views: [7], at, members: [1, 2], victims: [3], lived: [], toRecover: [3], left: [], came: [],
    steps: stepsOf('suspend begun 1 - 0, suspend ended 1 - 10, suspend ended 2 - 12, dlm begun 1 - 12, dlm ended 1 - 20, fence begun 1 3 1, fence failed 1 3 2, fence begun 1 3 5, fence ended 1 3 30, app begun 1 3 30, app ended 1 3 40, resume ended 1 - 50'),
    phases: [{ phase: 'ready', millis: 12, slowest: 2 }, { phase: 'locks', millis: 8, slowest: null }],
    stoppedMillis: 20, totalMillis: 50, ...over,
  };
}

const wordsIn = (picture: string): string[] => [...picture.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, words]) => words!);

describe('the picture', () => {
  test('has a lane for each step with how long it took, and only the moment of what is told when it is over', () => {
    const words = wordsIn(recoveryPicture(record()));
    for (const [lane, took] of [['suspend', '12.0 ms'], ['fence of node 3', '2 times, 29.0 ms'], ['dlm', '8.0 ms'], ['app of node 3', '10.0 ms'], ['resume', 'at 50.0 ms'], ['phase ready', '12.0 ms']]) {
      assert.equal(words[words.indexOf(lane!) + 1], took, lane);
    }
  });

  test('says that locks are granted again only where they are: not while applications are suspended', () => {
    assert.ok(wordsIn(recoveryPicture(record())).includes('locks are recovered'));
    const plain = record({ order: 'fence-first', steps: stepsOf('fence begun 1 3 0, fence ended 1 3 4, dlm begun 1 - 4, dlm ended 1 - 20') });
    assert.ok(wordsIn(recoveryPicture(plain)).includes('locks are granted again'));
  });

  test('can be drawn of a recovery that goes on, of one without steps, and with any name', () => {
    for (const one of [record({ totalMillis: null, stoppedMillis: null, steps: stepsOf('fence begun 1 3 0') }), record({ steps: [], phases: [], totalMillis: 0 }), record({ lockspace: '<a&"b\u0007>' })]) {
      const page = recoveryPage([one]);
      assert.doesNotMatch(page, /NaN|undefined|Infinity|\u0007/);
      assert.doesNotMatch(page, /<a&/);
    }
  });
});
