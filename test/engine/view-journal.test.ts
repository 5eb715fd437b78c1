/**
 * The journal of views: what is found again after its writer died, and what is left
 * out when it grows.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Enrolled, Entry } from '../../src/core/host/engine/roll.js';
import { ViewJournal } from '../../src/core/host/engine/view-journal.js';
import { scratch } from '../host/scratch.js';

const home = { boot: 'now', pidns: '4026531836' };

function entry(id: number, ...members: Enrolled[]): Entry {
  return { id, members, leftCleanly: [] };
}

function member(node: number, incarnation: number, addressLength = 0): Enrolled {
  const address = 'x'.repeat(addressLength);
  return { node, incarnation, name: `n${node}`, address, weight: 1, lockspaces: [['x', 1]], life: `${node}.${incarnation}`, pid: 7, started: 8 };
}

describe('the journal of views', () => {
  it('begins with nobody, and gives back what was written', (test) => {
    const path = `${scratch(test)}/views`;
    const journal = ViewJournal.open(path, home);
    assert.deepEqual(journal.entries, [{ id: 0, members: [], leftCleanly: [] }]);
    journal.append(entry(5, member(1, 3)), []);
    journal.append(entry(6, member(1, 3), member(2, 4)), []);
    // It is not closed: its writer was killed.
    const found = ViewJournal.open(path, home);
    assert.deepEqual(found.entries, journal.entries);
    assert.deepEqual(found.last, entry(6, member(1, 3), member(2, 4)));
    assert.deepEqual(found.earlierIncarnations, [[1, 3], [2, 4]]);
    journal.close();
    found.close();
  });

  it('leaves out the oldest when it grows, and keeps their incarnations', (test) => {
    const path = `${scratch(test)}/views`;
    const journal = ViewJournal.open(path, home);
    const crowd = Array.from({ length: 100 }, (_, at) => member(at + 1, 9, 255));
    for (let id = 1; id <= 400; id += 1) journal.append(entry(id, ...crowd), [[200, 17]]);
    assert.equal(journal.last.id, 400);
    assert.ok(journal.entries[0]!.id > 1);
    assert.ok(journal.entries.length > 50);
    assert.ok(statSync(path).size < 10_000_000);
    const found = ViewJournal.open(path, home);
    assert.deepEqual(found.entries, journal.entries);
    assert.deepEqual(found.earlierIncarnations.find(([node]) => node === 200), [200, 17]);
    journal.close();
    found.close();
  });

  it('keeps what it had when it cannot be written anew', (test) => {
    const folder = `${scratch(test)}/views`;
    mkdirSync(folder);
    const path = `${folder}/views`;
    const journal = ViewJournal.open(path, home);
    const crowd = Array.from({ length: 100 }, (_, at) => member(at + 1, 9, 255));
    mkdirSync(`${path}.new`);
    let id = 0;
    assert.throws(() => {
      for (;; id += 1) journal.append(entry(id + 1, ...crowd), []);
    }, { code: 'DLM_STATE_UNUSABLE', message: /cannot write/ });
    assert.equal(journal.last.id, id);
    rmSync(`${path}.new`, { recursive: true });
    journal.append(entry(id + 1, ...crowd), []);
    const found = ViewJournal.open(path, home);
    assert.equal(found.last.id, id + 1);
    journal.close();
    found.close();
  });
});
