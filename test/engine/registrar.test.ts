/**
 * The registrar by itself, with a real journal: what it does when a view cannot be
 * written down, and when it may not write at all.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import type { FromRegistrar, Hello } from '../../src/core/host/engine/registrar-protocol.js';
import { protocolVersion } from '../../src/core/host/engine/registrar-protocol.js';
import { Registrar, type Desk } from '../../src/core/host/engine/registrar.js';
import type { Enrolled } from '../../src/core/host/engine/roll.js';
import { ViewJournal } from '../../src/core/host/engine/view-journal.js';
import { identify } from '../../src/core/host/process-facts.js';
import { scratch } from '../host/scratch.js';
import { until } from '../kill/processes.js';

const home = { boot: 'now', pidns: null };
const facts = { node: null, incarnation: 1, address: '', weight: 1, lockspaces: [], pidns: null, seen: 0 };

class Party {
  readonly desk: Desk;
  readonly heard: FromRegistrar[] = [];

  constructor(
    readonly registrar: Registrar,
    readonly name: string,
  ) {
    this.desk = registrar.welcome({ tell: (message) => this.heard.push(message) > 0, end: () => undefined });
    const hello: Hello = { say: 'hello', version: protocolVersion, ...facts, name, life: name, ...identify(process.pid)! };
    registrar.hear(this.desk, hello);
  }

  announce(join: number): void {
    // Long enough that the journal is full after a few hundred.
    const lockspaces = Array.from({ length: 256 }, (_, at): Enrolled['lockspaces'][number] => [`${'x'.repeat(60)}${at + 100}`, join]);
    this.registrar.hear(this.desk, { say: 'announce', lockspaces });
  }

  get lastJoin(): number {
    const last = this.heard.at(-1);
    return last?.say === 'view' ? (last.entry.members.find(({ life }) => life === this.name)?.lockspaces[0]?.[1] ?? 0) : 0;
  }

  seesJoin(join: number): Promise<unknown> {
    return until(`join ${join}`, () => this.lastJoin === join);
  }
}

function registrarAt(test: TestContext, mayWrite = (): boolean => true): { registrar: Registrar; path: string; log: string[] } {
  const folder = `${scratch(test)}/cluster`;
  mkdirSync(folder);
  const path = `${folder}/views`;
  const log: string[] = [];
  const registrar = new Registrar(ViewJournal.open(path, home), home, mayWrite, () => true, (line) => log.push(line));
  test.after(() => registrar.close());
  return { registrar, path, log };
}

describe('a registrar', () => {
  it('tells nobody of a view that cannot be written down, and does when it can', async (test) => {
    const { registrar, path, log } = registrarAt(test);
    const a = new Party(registrar, 'a');
    await until('a is in', () => a.heard.length === 1);
    // Where the journal would be written anew when it has grown.
    mkdirSync(`${path}.new`);
    let join = 0;
    while (log.length === 0) {
      join += 1;
      a.announce(join);
      while (a.lastJoin !== join && log.length === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(log[0]!, /a view of the cluster waits: cannot write/);
    assert.equal(a.lastJoin, join - 1);
    const b = new Party(registrar, 'b');
    a.announce(join + 1);
    rmdirSync(`${path}.new`);
    await a.seesJoin(join + 1);
    await until('b is in', () => b.heard.length === 1);
    assert.equal(log.length, 1);
    const ids = a.heard.map((message) => (message.say === 'view' ? message.entry.id : 0));
    // Every announcement but the one that was overtaken, and the view with b, whose number follows the clock.
    assert.equal(ids.length, join + 2);
    assert.ok(ids.every((id, at) => at === 0 || id > ids[at - 1]!));
  });

  it('makes no view when its lock may be held by another', async (test) => {
    let mayWrite = true;
    const { registrar } = registrarAt(test, () => mayWrite);
    const a = new Party(registrar, 'a');
    await until('a is in', () => a.heard.length === 1);
    mayWrite = false;
    const b = new Party(registrar, 'b');
    a.announce(1);
    // A third one is refused in the same round, so that round is over when it hears of it.
    const other = registrar.welcome({ tell: (message) => Boolean(a.heard.push(message)), end: () => undefined });
    registrar.hear(other, { say: 'hello', version: protocolVersion, ...facts, name: 'c', life: 'c', pid: 1, started: 1 });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.deepEqual(a.heard.map(({ say }) => say), ['view', 'refused']);
    assert.deepEqual(b.heard, []);
  });
});
