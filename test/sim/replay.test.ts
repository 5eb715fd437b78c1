/**
 * A life is written down and lived through again: the same program does the same, and
 * a life that was tampered with is found out.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incarnation, millis, nodeId, ownerId } from '../../src/core/base/ids.js';
import type { Input } from '../../src/core/node/input.js';
import { writeHead, writeLine } from '../../src/core/node/journal.js';
import { DlmNode, type NodeConfig } from '../../src/core/node/node.js';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import { replay } from '../../src/core/sim/replay.js';

const lockspace = 'ls';

/** What happens: a value is written, somebody waits, and gets the lock by an unlock. */
function life(): string {
  const config: NodeConfig = { self: nodeId(1), incarnation: incarnation(7) };
  const node = new DlmNode(config);
  const cookies = new Map<unknown, number>();
  const numberOf = (cookie: unknown): number => cookies.get(cookie) ?? cookies.set(cookie, cookies.size + 1).get(cookie)!;
  const lines = [writeHead(config)];
  const happen = (now: number, input: Input): void => {
    const effects = node.step(millis(now), input);
    lines.push(writeLine(now, input, effects, numberOf));
  };
  const [first, second] = [{}, {}];
  const lock = { kind: 'lock', lockspace, owner: ownerId(1), name: 'a', mode: 5, flags: 8, value: new Uint8Array(32).fill(9) } as const;
  happen(0, { kind: 'joinLockspace', lockspace, config: defaultConfig });
  happen(1, { ...lock, cookie: first });
  happen(2, { ...lock, cookie: second });
  const [held] = node.held(ownerId(1), null);
  happen(3, { kind: 'unlock', lockspace, lkid: held!.lkid, flags: 8, value: new Uint8Array(32).fill(7) });
  happen(4, { kind: 'endOwner', owner: ownerId(1) });
  return `${lines.join('\n')}\n`;
}

test('a life lived again is the same', () => {
  const turns = [...replay(life())];
  assert.equal(turns.length, 5);
  assert.deepEqual(turns.filter(({ isSame }) => !isSame), []);
  assert.match(turns[3]!.effects.join(), /"status":"EUNLOCK".*"cookie":2.*"status":"OK"/s);
});

test('one that was tampered with is not', () => {
  const tampered = life().replace('"$bytes":"07', '"$bytes":"08');
  assert.notEqual(tampered, life());
  assert.ok([...replay(tampered)].some(({ isSame }) => !isSame));
});

test('a last line that is not whole is left out, and what is no journal is refused', () => {
  assert.equal([...replay(life().slice(0, -10))].length, 4);
  assert.throws(() => [...replay('{}\n')], SyntaxError);
});
