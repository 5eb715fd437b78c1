/**
 * The record of what was done to fence nodes, read back.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DlmError } from '../../src/core/base/errors.js';
import { FenceHistory, readFenceHistory } from '../../src/core/host/fence-history.js';
import { fenceMethods } from '../../src/core/host/fence-methods.js';
import { scratch } from '../host/scratch.js';
import { Hosts } from './hosts.js';

const at = (state: string) => ({ state, scope: 'folder' as const });
const refuse = (line: string): void => assert.fail(line);

test('attempts, outcomes and words of operators are read back in order, and nobody else can read them', async (t) => {
  const hosts = new Hosts(t);
  hosts.host('a');
  const state = join(hosts.folder, 'state');
  const history = new FenceHistory(at(state), refuse);
  const config = hosts.config('device a AGENT behaviour=spell passwd=s3cret\nconnect a node=1 folder=FOLDER/a\n');
  const methods = fenceMethods(config, { onAttempt: (attempt) => history.attempt(attempt) });
  const outcome = await methods.fence(1);
  history.outcome(outcome);
  history.ack(2, 'root', 'I pulled the plug', 'uid 0 on web1');
  history.heard(3, 'acknowledged', 4, 'root: the rack is dark');

  const { records, damaged } = readFenceHistory({ state });
  assert.equal(damaged, 0);
  assert.deepEqual(records.map(({ kind, node }) => `${kind} ${node}`), ['attempt 1', 'attempt 1', 'outcome 1', 'ack 2', 'heard 3']);
  assert.deepEqual(records.slice(0, 2), outcome.attempts.map((attempt) => ({ kind: 'attempt', ...attempt })));
  assert.ok(!readFileSync(join(state, 'fence-history.jsonl'), 'utf8').includes('s3cret'));
  assert.equal(statSync(join(state, 'fence-history.jsonl')).mode & 0o777, 0o600);
});

test('where it cannot be read, the error says so', (t) => {
  const state = scratch(t);
  mkdirSync(join(state, 'fence-history.jsonl'), { recursive: true });
  assert.throws(() => readFenceHistory({ state }), (error: DlmError) => error.code === 'DLM_STATE_UNUSABLE' && /^cannot read .*fence-history\.jsonl: it is a folder \(EISDIR\)$/.test(error.message));
});

test('the last attempts are kept, within a limit', (t) => {
  const state = scratch(t);
  const history = new FenceHistory(at(state), refuse, 2_000);
  for (let node = 1; node <= 200; node += 1) history.ack(node, 'root', 'again', '');
  const nodes = readFenceHistory({ state }).records.map(({ node }) => node);
  assert.deepEqual(nodes, nodes.map((_, index) => 200 - nodes.length + index + 1));
  const sizes = ['fence-history.jsonl', 'fence-history.1.jsonl'].map((name) => statSync(join(state, name), { throwIfNoEntry: false })?.size ?? 0);
  assert.ok(nodes.length >= 10 && sizes.every((size) => size < 2_200), `${nodes.length} records in ${sizes.join(' and ')} bytes`);
});

test('a line that broke off costs nothing but itself', (t) => {
  const state = scratch(t);
  const history = new FenceHistory(at(state), refuse);
  history.ack(1, 'root', 'first', '');
  appendFileSync(join(state, 'fence-history.jsonl'), '{"kind":"attempt","at":"2026');
  history.ack(2, 'root', 'second', '');
  appendFileSync(join(state, 'fence-history.jsonl'), '[]\n{"kind":"something","at":"","node":1}\n');
  const { records, damaged } = readFenceHistory({ state });
  assert.deepEqual([records.map(({ node }) => node), damaged], [[1, 2], 3]);
});

test('fencing goes on when nothing can be written, and the log says what is not kept', (t) => {
  const state = scratch(t);
  mkdirSync(join(state, 'fence-history.jsonl'));
  const lines: string[] = [];
  new FenceHistory(at(state), (line) => lines.push(line)).ack(7, 'root', 'gone', '');
  assert.match(lines.join(), /^cannot write to .*, so what was done about node 7 is not kept: it is a folder \(EISDIR\)$/);
});

test('where nothing was ever done there is nothing to read', (t) => {
  const folder = scratch(t);
  assert.deepEqual(readFenceHistory({ state: join(folder, 'nowhere') }), { records: [], damaged: 0 });
  writeFileSync(join(folder, 'file'), '');
  assert.deepEqual(readFenceHistory({ state: join(folder, 'file') }), { records: [], damaged: 0 });
});
