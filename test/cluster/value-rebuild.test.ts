/**
 * What is left of a value when the master of its resource dies: what the survivors
 * have of it, and how much that is worth.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultLaw, kernelLaw } from '../../src/core/lock/law.js';
import { Device, oneNode } from '../../src/core/sim/conformance/device.js';
import { parseScenarios } from '../../src/core/sim/conformance/scenario.js';

/** The value on node 1 after the master, node 3, which had written 0102, is gone: its bytes, and whether they are not valid. */
function valueAfter(text: string, law = defaultLaw): readonly (string | boolean | undefined)[] {
  const written = 'lock n3:N res=R mode=EX flags=VALBLK\nconvert n3:N mode=NL flags=VALBLK lvb=0102';
  const [scenario] = parseScenarios(`scenario a\nnodes 3\n${written}\n${text}\nkill n3`);
  const device = new Device(law, { ...oneNode, scenario: scenario! });
  const { st } = scenario!.steps.map((step) => device.perform(step)).at(-1)!;
  return [st?.R?.lvb, st?.R?.invalid];
}

for (const [name, law] of [['ours', defaultLaw], ['the kernel\'s', kernelLaw]] as const) {
  describe(`by ${name} law`, () => {
    for (const mode of ['NL', 'CR']) {
      test(`a holder of ${mode} who read it has the last copy, which is not valid`, () => {
        assert.deepEqual(valueAfter(`lock W res=R mode=${mode} flags=VALBLK`, law), ['0102', true]);
      });
    }

    for (const mode of ['CW', 'PR', 'PW', 'EX']) {
      test(`a holder of ${mode} who read it vouches for it`, () => {
        assert.deepEqual(valueAfter(`lock W res=R mode=${mode} flags=VALBLK`, law), ['0102', undefined]);
      });
      test(`a holder of ${mode} who did not is no help`, () => {
        assert.deepEqual(valueAfter(`lock W res=R mode=${mode}`, law), [undefined, undefined]);
      });
    }

    test('of several old copies the newest counts', () => {
      const both = 'lock W res=R mode=NL flags=VALBLK\nconvert n3:N mode=EX\nconvert n3:N mode=NL flags=VALBLK lvb=03\nlock n2:X res=R mode=NL flags=VALBLK';
      assert.deepEqual(valueAfter(both, law), ['03', true]);
    });

    test('whoever wrote last and holds on to it, from elsewhere, has the newest', () => {
      const wrote = 'lock W res=R mode=NL flags=VALBLK\nlock n2:X res=R mode=EX flags=VALBLK\nconvert n2:X mode=PR flags=VALBLK lvb=04';
      assert.deepEqual(valueAfter(wrote, law), ['04', undefined]);
    });
  });
}

test('who waited when the master died reads what is written later', () => {
  const text = `scenario a
    nodes 3
    lock n3:N res=R mode=NL
    lock n2:A res=R mode=EX flags=VALBLK
    lock B res=R mode=PR flags=VALBLK
    lock n2:C res=R mode=PR flags=VALBLK
    kill n3
    convert n2:A mode=NL flags=VALBLK lvb=0102`;
  const [scenario] = parseScenarios(text);
  const device = new Device(defaultLaw, { ...oneNode, scenario: scenario! });
  const last = scenario!.steps.map((step) => device.perform(step)).at(-1)!;
  // One of the two is elsewhere than the new master, who was told of it.
  for (const waiter of ['B', 'n2:C']) {
    const told = last.ev?.find((event) => 'ast' in event && event.ast === waiter) as { lvb?: string } | undefined;
    assert.equal(told?.lvb, '0102', `${waiter}: ${JSON.stringify(last)}`);
  }
});

test('a conversion that was demoted stays so under the new master', () => {
  const text = `scenario a
    nodes 3
    lock n3:N res=R mode=NL
    lock n2:A res=R mode=PR
    lock B res=R mode=PR
    convert n2:A mode=EX
    convert B mode=EX flags=CONVDEADLK
    kill n3
    unlock n2:A`;
  const [scenario] = parseScenarios(text);
  const device = new Device(defaultLaw, { ...oneNode, scenario: scenario! });
  const outcomes = scenario!.steps.map((step) => device.perform(step));
  assert.deepEqual(outcomes.at(-2)!.st?.R, { g: ['n2:A:EX'], c: ['B:NL>EX'], master: 1 });
  assert.deepEqual(outcomes.at(-1)!.ev?.find((event) => 'ast' in event && event.ast === 'B'), { ast: 'B', status: '0', flags: ['DEMOTED'] });
});
