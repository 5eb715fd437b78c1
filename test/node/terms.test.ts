/**
 * Members must take a lockspace to be the same: the length of its values, whether it has
 * a directory, and its order. Whoever does not has no place in it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ownerId } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { EX } from '../../src/core/lock/mode.js';
import { defaultConfig, type LockspaceConfig } from '../../src/core/lockspace/lockspace.js';
import type { Effect } from '../../src/core/node/effect.js';
import { Troupe } from '../cluster/troupe.js';

const others: readonly [string, Partial<LockspaceConfig>, RegExp][] = [
  ['another length of values', { valueLength: 64 }, /with values of 32 bytes, and here it was joined with values of 64 bytes/],
  ['no directory', { nodir: true }, /with a directory, and here it was joined with no directory/],
  ['another order', { order: 'suspend<dlm dlm<resume' }, /with dlm, and here it was joined with dlm<resume suspend<dlm suspend<resume/],
];

describe('whoever joins with', () => {
  for (const [what, config, why] of others) {
    for (const seed of [1, 2, 3, 4, 5]) {
      test(`${what} is told so and leaves, and the others go on (${seed})`, () => {
        const prng = new Prng(`terms ${seed}`);
        const effects: [number, Effect][] = [];
        const troupe = new Troupe((count) => prng.below(count), (node, effect) => effects.push([node, effect]));
        for (const id of [2, 3]) troupe.start(id);
        troupe.settle();
        troupe.joinAll('a');
        troupe.start(1);
        troupe.settle();

        troupe.input(1, { kind: 'joinLockspace', lockspace: 'a', config: { ...defaultConfig, ...config } });
        const wish = { lockspace: 'a', name: 'r', mode: EX, flags: 0, value: null } as const;
        troupe.input(1, { kind: 'lock', owner: ownerId(1), cookie: 'misfit', ...wish });
        troupe.input(2, { kind: 'lock', owner: ownerId(2), cookie: 'fit', ...wish });
        troupe.settle();

        const refused = effects.flatMap(([node, effect]) => (node === 1 && effect.kind === 'refuse' ? [effect] : []));
        assert.equal(refused.length, 1, 'what it had asked for is refused, once');
        assert.match(refused[0]!.rule!.text, why);
        assert.equal(effects.filter(([node, effect]) => node === 1 && effect.kind === 'misfit').length, 1);
        assert.equal(troupe.standing('a'), 'n2: running, n3: running, n1: out');
        assert.ok(effects.some(([node, effect]) => node === 2 && effect.kind === 'complete' && effect.cookie === 'fit' && effect.status === 'OK'));
      });
    }
  }
});
