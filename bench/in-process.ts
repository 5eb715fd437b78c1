/**
 * The speed of the law: lock and unlock of names nobody else wants.
 *
 * Three contestants take turns in one run, because machines are noisy and only
 * ratios last: our promise API, the node's `step` beneath it, and async-mutex with
 * a mutex a name. Then the memory of locks held, each on a resource of its own.
 */
import { Mutex } from 'async-mutex';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { incarnation, millis, nodeId, ownerId, type Lkid } from '../src/core/base/ids.js';
import { openNode, type LockHandle, type LockspaceClient } from '../src/core/index.js';
import { EX } from '../src/core/lock/mode.js';
import { defaultConfig } from '../src/core/node/snapshot.js';
import { DlmNode } from '../src/core/node/node.js';
import { median, thousands, type Part, type Row } from './table.js';

const pairs = 200_000;
const rounds = 9;
const names = Array.from({ length: 1024 }, (_, index) => `bench/${index}`.padEnd(32, '.'));

/** A thousand pairs a second. */
type Contestant = (outstanding: number) => Promise<number>;

/** Run `pair` that many times, so many at once, and tell the speed. */
async function timed(outstanding: number, pair: (name: string) => Promise<void>): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < pairs) await pair(names[next++ % names.length]!);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: outstanding }, worker));
  return pairs / (performance.now() - start);
}

function promiseApi(lockspace: LockspaceClient): Contestant {
  return (outstanding) =>
    timed(outstanding, async (name) => {
      const lock = await lockspace.lock(name);
      await lock.unlock();
    });
}

function asyncMutex(): Contestant {
  const mutexes = new Map<string, Mutex>();
  return (outstanding) =>
    timed(outstanding, async (name) => {
      let mutex = mutexes.get(name);
      if (mutex === undefined) mutexes.set(name, (mutex = new Mutex()));
      const release = await mutex.acquire();
      release();
    });
}

/** The node alone, as a driver would step it. */
function nodeStep(): Contestant {
  const node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });
  const lockspace = 'bench';
  const now = millis(0);
  node.step(now, { kind: 'joinLockspace', lockspace, config: defaultConfig });
  const pair = (name: string): void => {
    const owner = ownerId(1);
    const wish = { mode: EX, flags: 0, value: null, cookie: null } as const;
    const [granted] = node.step(now, { kind: 'lock', lockspace, owner, name, ...wish });
    const id = (granted as unknown as { lkid: Lkid }).lkid;
    node.step(now, { kind: 'unlock', lockspace, lkid: id, flags: 0, value: null });
  };
  return async () => {
    const start = performance.now();
    for (let next = 0; next < pairs; next += 1) pair(names[next % names.length]!);
    return pairs / (performance.now() - start);
  };
}

async function compare(outstanding: number, contestants: Readonly<Record<string, Contestant>>): Promise<Row[]> {
  const speeds = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  const ratios = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    const now = new Map<string, number>();
    for (const [name, contestant] of Object.entries(contestants)) now.set(name, await contestant(outstanding));
    if (round < 0) continue; // the first round warms up
    for (const [name, speed] of now) {
      speeds.get(name)!.push(speed);
      ratios.get(name)!.push(speed / now.get('async-mutex')!);
    }
  }
  const rateOf = (name: string): string => thousands(median(speeds.get(name)!) * 1000);
  return [...speeds.keys()].filter((name) => name !== 'async-mutex').map((name) => {
    const ratio = median(ratios.get(name)!);
    const row = { what: `${name}, ${outstanding} outstanding, pairs`, ours: rateOf(name), peer: `async-mutex ${rateOf('async-mutex')}`, ratio };
    return name === 'promise API' ? { ...row, wanted: { figure: ratio, atLeast: 1.5, unit: 'x' } } : row;
  });
}

async function memory(lockspace: LockspaceClient, count: number): Promise<Row> {
  const handles = new Array<LockHandle>(count);
  const name = (index: number): string => Buffer.from(String(index).padStart(32, '.')).toString('latin1');
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < count; index += 1) handles[index] = await lockspace.lock(name(index));
  globalThis.gc!();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  for (const handle of handles) await handle.unlock();
  const what = `heap a lock of ${count.toLocaleString('en')}, alone, with handle and 32-byte name`;
  return { what, ours: `${bytes.toFixed(0)} bytes`, wanted: { figure: bytes, atMost: 450, unit: 'bytes' } };
}

export const measure: Part = async () => {
  mkdirSync('.tmp', { recursive: true });
  const dir = mkdtempSync(join('.tmp', 'bench-'));
  const node = await openNode({ dir });
  try {
    const lockspace = await node.lockspace('bench');
    return [
      ...(await compare(1, { 'promise API': promiseApi(lockspace), 'node.step': nodeStep(), 'async-mutex': asyncMutex() })),
      ...(await compare(64, { 'promise API': promiseApi(lockspace), 'async-mutex': asyncMutex() })),
      await memory(lockspace, 1_000_000),
      await memory(lockspace, 1_100_000),
    ];
  } finally {
    await node.close();
    rmSync(dir, { recursive: true, force: true });
  }
};
