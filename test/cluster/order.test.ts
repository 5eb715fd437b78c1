/**
 * Orders: which are refused and why, what the presets mean, and whether a trace is held
 * against them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeId } from '../../src/core/base/ids.js';
import { nameOf, orderOf, parseOrder, presets, steps, waitsFor, type Step } from '../../src/core/cluster/order.js';
import { checkTrace, type StepEvent, type TraceScope } from '../../src/core/cluster/order-trace.js';

describe('an order that is written out', () => {
  for (const [name, text] of Object.entries(presets)) {
    test(`${name} is the same as ${text}`, () => {
      assert.equal(orderOf(text).text, orderOf(name).text);
      assert.equal(nameOf(orderOf(text)), name);
    });
  }

  test('does not depend on how its pairs are arranged', () => {
    assert.equal(orderOf('dlm<app  app<resume fence<app suspend<dlm').text, orderOf('gfs').text);
    assert.equal(orderOf('suspend<dlm<app<resume fence<app').text, orderOf('gfs').text);
  });

  for (const text of ['fence < dlm', ' fence <dlm ', 'fence< dlm', 'fence<dlm,', 'dlm, fence\t<\n dlm']) {
    test(`may have spaces around < and commas between pairs: ${JSON.stringify(text)}`, () => {
      assert.equal(orderOf(text).text, 'fence<dlm');
    });
  }

  test('with spaces and commas is the same as without', () => {
    assert.equal(orderOf('suspend < dlm < app, app < resume, fence < app').text, orderOf('gfs').text);
    assert.equal(orderOf('fence<app, app<dlm').text, orderOf('fence<app app<dlm').text);
  });

  test('waits for what its predecessors wait for', () => {
    const gfs = orderOf('gfs');
    assert.ok(waitsFor(gfs, 'resume', 'fence'));
    assert.ok(waitsFor(gfs, 'app', 'suspend'));
    assert.ok(!waitsFor(gfs, 'dlm', 'fence'), 'fencing and dlm recovery are in either order');
    assert.ok(!waitsFor(gfs, 'fence', 'dlm'));
  });

  const refused: readonly [string, RegExp][] = [
    ['', /^the order says nothing; an order is one of gfs/],
    [' , ', /^the order says nothing; /],
    ['fence<', /^"fence<" in "fence<" lacks a step on one side of <; .*pairs such as fence<dlm of the steps suspend, .*, parted by spaces or commas$/],
    ['fence < , dlm', /^"fence<" in "fence < , dlm" lacks a step on one side of </],
    ['suspend < dlm fence', /^the order "suspend < dlm fence" is refused: whoever was suspended must be resumed/],
    ['toString', /"toString" in "toString" is no step/],
    ['fence<dml', /"dml" in "fence<dml" is no step/],
    ['fence<dlm dlm<fence', /fence would wait for itself/],
    ['suspend<dlm', /add resume/],
    ['dlm resume', /add suspend<dlm/],
    ['suspend dlm<resume', /write suspend<dlm/],
    ['suspend<dlm app<resume', /write fence<app/],
    ['fence<app dlm<app', /write app<dlm/],
    ['suspend<dlm fence<app app<dlm dlm<resume', /before dlm nothing is granted/],
    ['fence dlm', /nothing waits for fence/],
  ];
  for (const [text, why] of refused) {
    test(`"${text}" is refused: ${why.source}`, () => {
      const order = parseOrder(text);
      assert.ok('problem' in order);
      assert.match(order.problem, why);
    });
  }

  test('in every order that is accepted each step can be reached', () => {
    for (const text of [...Object.keys(presets), 'fence<app app<dlm', 'suspend<dlm dlm<resume fence<resume']) {
      const order = orderOf(text);
      const ended = new Set<Step>();
      const mayBegin = (step: Step): boolean => steps.every((earlier) => !waitsFor(order, step, earlier) || ended.has(earlier));
      for (let left = [...order.steps]; left.length > 0; left = left.filter((step) => !ended.has(step))) {
        const next = left.filter(mayBegin);
        assert.ok(next.length > 0, `${text}: nothing may begin after ${[...ended].join(', ')}`);
        for (const step of next) ended.add(step);
      }
    }
  });
});

describe('a trace', () => {
  const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
  const scope: TraceScope = { self: one, members: [one, two], victims: [three], lived: [], toRecover: [three] };
  const event = (words: string): StepEvent => {
    const [step, state, node, victim] = words.split(' ');
    return { step: step as Step, state: state as StepEvent['state'], node: nodeId(Number(node)), victim: victim === undefined ? null : nodeId(Number(victim)) };
  };
  const events = (lines: string): StepEvent[] => lines.split(', ').map(event);
  const good = 'suspend begun 1, suspend ended 1, suspend ended 2, dlm begun 1, dlm ended 1, dlm ended 2, fence begun 1 3, fence ended 1 3, app begun 1 3, app ended 1 3, resume ended 1';
  const gfs = orderOf('gfs');

  test('that keeps the order has no problems, with fencing first or last', () => {
    assert.deepEqual(checkTrace(gfs, scope, events(good)), []);
    const fenceFirst = `fence begun 1 3, fence ended 1 3, ${good.replace('fence begun 1 3, fence ended 1 3, ', '')}`;
    assert.deepEqual(checkTrace(gfs, scope, events(fenceFirst)), []);
  });

  const bad: readonly [string, string, string, RegExp][] = [
    ['a member that has not suspended', 'suspend ended 2, ', '', /dlm began on node 1 before suspend had ended on node 2/],
    ['data put in order before the fence', 'fence ended 1 3, app begun 1 3, ', 'app begun 1 3, fence ended 1 3, ', /app began on node 1 for node 3 before fence had ended for node 3/],
    ['data put in order before dlm recovery', 'dlm ended 2, fence begun 1 3, fence ended 1 3, app begun 1 3, ', 'fence begun 1 3, fence ended 1 3, app begun 1 3, dlm ended 2, ', /app began .* before dlm had ended on node 2/],
    ['a step that has not ended', ', app ended 1 3', '', /resume|app has not ended for node 3/],
  ];
  for (const [what, part, instead, problem] of bad) {
    test(`with ${what} is found`, () => {
      assert.ok(good.includes(part));
      const found = checkTrace(gfs, scope, events(good.replace(part, instead)));
      assert.ok(found.some((words) => problem.test(words)), found.join('; '));
    });
  }

  test('needs no fence for a member that is known to have ended, and one for the other all the same', () => {
    const both: TraceScope = { ...scope, victims: [two, three], lived: [two], toRecover: [two, three] };
    const alsoTwo = good.replace('app begun 1 3', 'app begun 1 2, app ended 1 2, app begun 1 3');
    assert.deepEqual(checkTrace(gfs, both, events(alsoTwo)), []);
    assert.deepEqual(checkTrace(gfs, { ...scope, victims: [two], lived: [two], toRecover: [two] }, events('suspend begun 1, suspend ended 1, suspend ended 2, dlm begun 1, dlm ended 1, dlm ended 2, app begun 1 2, app ended 1 2, resume ended 1')), []);
    assert.ok(checkTrace(gfs, { ...both, lived: [] }, events(alsoTwo)).includes('app began on node 1 for node 2 before fence had ended for node 2'));
    const early = alsoTwo.replace('fence ended 1 3, app begun 1 2', 'app begun 1 2').replace('app begun 1 3', 'app begun 1 3, fence ended 1 3');
    assert.deepEqual(checkTrace(gfs, both, events(early)), ['app began on node 1 for node 3 before fence had ended for node 3']);
  });

  test('with a step that the order does not have is found', () => {
    const found = checkTrace(orderOf('none'), { ...scope, toRecover: [] }, events('fence begun 1 3, dlm begun 1, dlm ended 1, dlm ended 2'));
    assert.deepEqual(found, ['fence on node 1: this order has no such step']);
  });
});
