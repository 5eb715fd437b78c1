/**
 * The rules by which a lockspace recovers, as a small model: whatever happens, in
 * whatever order, nothing happens that an order forbids, and nobody is stuck. And
 * there is no rule that could be left out.
 *
 * Every exploration is complete within its bounds (so many failures, so many nodes
 * that come or come back). A wider one, of some minutes:
 *
 *   DLM_ORDER_DEEP=1 npm test -- test/model/order/order.test.ts
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { explore, type Exploration } from './explore.js';
import { orders, rules, type Rule, type Setting } from './rules.js';
import { orderModel, type Marks } from './world.js';

const isDeep = process.env.DLM_ORDER_DEEP === '1';
const statesMax = isDeep ? 6_000_000 : 400_000;

/** Three members, of whom one fails and somebody comes back; more than half must be there. */
const three = { nodes: 3, members: 0b111, failures: 1, joins: 1, quorum: 'majority' } as const;
/** Three members, of whom two fail. */
const twoFail = { ...three, failures: 2, joins: 0 } as const;
/** Two members and one that has not come yet; something outside has the quorum, so one is enough. */
const two = { nodes: 3, members: 0b011, failures: 1, joins: 1, quorum: 'any' } as const;
const twoAndTwo = { ...two, failures: 2 } as const;
const fourAndTwo = { nodes: 4, members: 0b1111, failures: 2, joins: 0, quorum: 'any' } as const;

type Bounds = Omit<Setting, 'order' | 'dropped'>;

function run(t: TestContext, order: keyof typeof orders, bounds: Bounds, dropped: Rule | null, marks: Marks = { has: new Set() }): Exploration {
  const setting: Setting = { ...bounds, order: orders[order], dropped };
  const found = explore(orderModel(setting, marks), statesMax);
  t.diagnostic(`${order}: ${found.states} states, ${found.transitions} transitions`);
  return found;
}

function assertNothingWrong(t: TestContext, order: keyof typeof orders, bounds: Bounds, marks?: Marks): void {
  const { wrong, trace, isCut } = run(t, order, bounds, null, marks);
  assert.equal(wrong, null, `${wrong}:\n  ${trace.join('\n  ')}`);
  assert.ok(!isCut, 'there are more states than are allowed');
}

const everything: readonly [string, Bounds][] = [
  ['one of three fails, one comes back', three],
  ['two of three fail', twoFail],
  ['one of two fails, one comes', two],
];
const deep: readonly [string, Bounds][] = [
  ['both of two fail, one comes', twoAndTwo],
  ['both of two fail, two come', { ...twoAndTwo, joins: 2 }],
  ['two of three fail, one comes back', { ...three, failures: 2 }],
  ['two of four fail', fourAndTwo],
];

for (const order of Object.keys(orders) as (keyof typeof orders)[]) {
  for (const [story, bounds] of isDeep ? [...everything, ...deep] : everything) {
    test(`${order}: ${story}, and nothing forbidden happens`, (t) => assertNothingWrong(t, order, bounds));
  }
}

test('a case and a slot outlive all who saw the failure', (t) => {
  assertNothingWrong(t, 'gfs', twoAndTwo);
  assertNothingWrong(t, 'fenceFirst', twoAndTwo);
});

test('under gfs fencing and dlm recovery end in either order', (t) => {
  const marks: Marks = { has: new Set() };
  assertNothingWrong(t, 'gfs', two, marks);
  assert.deepEqual([...marks.has].sort(), ['dlm recovery ended before fencing', 'fencing ended before dlm recovery']);
});

/** Where the loss of each rule is noticed, and as what. */
const losses: Readonly<Record<Rule, readonly [keyof typeof orders, Bounds, string]>> = {
  suspendFirst: ['gfs', three, 'dlm recovery while a member is not suspended'],
  readyBarrier: ['gfs', three, 'dlm recovery while a member is not suspended'],
  fenceBeforeApp: ['gfs', three, 'recovery of a slot that is still written'],
  allFenced: ['gfs', twoAndTwo, 'two recover the same slot'],
  fenceBeforeDlm: ['fenceFirst', two, 'dlm recovery beside a node that is not fenced'],
  dlmGate: ['fenceFirst', two, 'two writers'],
  appGate: ['gfs', two, 'a grant before a slot was recovered'],
  quorumToFence: ['gfs', three, 'fencing of a member'],
  quorumToRecover: ['gfs', three, 'dlm recovery outside a quorate view'],
  resumeLast: ['gfs', two, 'resumed before a slot was recovered'],
  restart: ['gfs', three, 'dlm recovery while a member is not suspended'],
  sameView: ['none', three, 'somebody is stuck'],
  anotherLife: ['gfs', three, 'a grant before a slot was recovered'],
  cleanStart: ['gfs', three, 'two writers'],
  newcomerSuspended: ['gfs', two, 'a newcomer goes on beside a node that is not fenced'],
  casesTold: ['fenceFirst', twoAndTwo, 'dlm recovery beside a node that is not fenced'],
  verdictsTold: ['fenceFirst', fourAndTwo, 'somebody is stuck'],
  slotsTold: ['gfs', twoAndTwo, 'somebody is stuck'],
  donesTold: ['gfs', three, 'somebody is stuck'],
  censusComplete: ['repairFirst', three, 'two recover the same slot'],
  handOver: ['fenceFirst', twoAndTwo, 'somebody is stuck'],
  anybodyActs: ['gfs', twoAndTwo, 'somebody is stuck'],
  failedIsNotFenced: ['gfs', two, 'recovery of a slot that is still written'],
  lifeEndsCase: ['gfs', two, 'fencing of a member'],
  slotOutlivesLife: ['gfs', three, 'dlm recovery while a member is not suspended'],
  workerKeepsSlot: ['gfs', twoAndTwo, 'two recover the same slot'],
  resumeTogether: ['gfs', twoAndTwo, 'a slot recovered again after somebody had resumed'],
  startup: ['gfs', twoAndTwo, 'resumed before a slot was recovered'],
};

for (const rule of Object.keys(rules) as Rule[]) {
  test(`without "${rules[rule]}": ${losses[rule][2]}`, (t) => {
    const [order, bounds, expected] = losses[rule];
    const { wrong, trace } = run(t, order, bounds, rule);
    t.diagnostic(`${trace.length} steps: ${['…', ...trace.slice(-4), wrong].join('; ')}`);
    assert.equal(wrong, expected);
  });
}
