/**
 * The journaled store of examples/journal on three nodes that are killed in the middle of
 * what they do: no record that was promised is lost, none is there twice, and nobody
 * writes by a token from before.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from '../kill/bounded.js';
import { signalAll, until } from '../kill/processes.js';
import type { Actor } from '../kill/stage.js';
import { Fleet, everybody } from './fleet.js';

const journal = fileURLToPath(new URL('../../examples/journal/journal', import.meta.url));
const oldTokenExit = 116;

/** Between two steps of a commit, in seconds: so that most who are killed are in the middle of one. */
const pauseSeconds = '0.1';

function driver(fleet: Fleet, node: number, ...words: string[]): Actor {
  const env = { ...fleet.envOf(node), JOURNAL_PAUSE: pauseSeconds };
  return fleet.run([journal, 'attach', `${fleet.folder}/shared`, 'store', String(node), '--pass', 'KILL_STAGE', ...words], { env });
}

/** How many records this node has been promised. */
const committedBy = (fleet: Fleet, node: number): number => fleet.read('shared/committed').split('\n').filter((id) => id.startsWith(`${node}-`)).length;

async function goesOn(fleet: Fleet, node: number): Promise<void> {
  const before = committedBy(fleet, node);
  await until(`node ${node} commits`, () => committedBy(fleet, node) > before);
}

async function verify(fleet: Fleet): Promise<string> {
  const check = fleet.run([journal, 'verify', `${fleet.folder}/shared`]);
  assert.equal(await check.exit, 0, check.said());
  return check.said();
}

test('nodes and applications are killed in the middle of commits: nothing is lost, nothing is there twice', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const drivers = new Map(everybody.map((node) => [node, driver(fleet, node)]));
  for (const node of everybody) await goesOn(fleet, node);

  await fleet.kill(2);
  await drivers.get(2)!.exit;
  await until('its slot was looked at', () => ([1, 3] as const).some((node) => /^recovered slot \d of node 2$/m.test(drivers.get(node)!.said())));
  for (const node of [1, 3]) await goesOn(fleet, node);

  // Its node lives on; it is attached anew at once.
  signalAll([drivers.get(3)!.pid], 'SIGKILL');
  await until('its slot was looked at', () => /^recovered slot \d of node 3$/m.test(drivers.get(1)!.said()));
  drivers.set(3, driver(fleet, 3));
  await fleet.join(2);
  drivers.set(2, driver(fleet, 2));
  for (const node of everybody) await goesOn(fleet, node);

  for (const node of everybody) signalAll([drivers.get(node)!.pid], 'SIGTERM');
  for (const node of everybody) assert.equal(await drivers.get(node)!.exit, 0, drivers.get(node)!.said());
  assert.match(await verify(fleet), /^committed [1-9]\d* lost 0 twice 0 unasked 0 broken 0$/m);
  for (const slot of [1, 2, 3]) assert.match(fleet.read(`shared/journal-${slot}`), /^clean\n$/);
});

test('all are killed at once: whoever comes first puts all slots in order; a token from before is refused', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const drivers = ([1, 2] as const).map((node) => driver(fleet, node));
  for (const node of [1, 2]) await goesOn(fleet, node);
  const token = fleet.read('shared/token').trim();
  signalAll([fleet.pidAt(1), fleet.pidAt(2)], 'SIGKILL');
  for (const one of drivers) await one.exit;

  await fleet.join(1);
  const first = driver(fleet, 1, '--json');
  await until('all slots are in order', () => /"event":"recovered"[^\n]*"failedSlot":null/.test(first.said()));
  await goesOn(fleet, 1);
  const stored = fleet.read('shared/store');
  const straggler = fleet.run([journal, 'replay-slot', `${fleet.folder}/shared`, '1'], { env: { ...fleet.envOf(2), DLM_TOKEN: token } });
  assert.equal(await straggler.exit, oldTokenExit, straggler.said());
  assert.ok(fleet.read('shared/store').startsWith(stored));
  signalAll([first.pid], 'SIGTERM');
  assert.equal(await first.exit, 0, first.said());
  await verify(fleet);
});
