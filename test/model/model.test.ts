/**
 * The lock manager against a naive one, over fifty thousand random scripts of
 * thirty calls and more, half of them under the kernel's law, half under ours.
 *
 * A disagreement is shrunk to the shortest script that shows it. And because a
 * comparison proves nothing about what never happened, everything there is to
 * happen is counted, and must have.
 *
 *   DLM_MODEL_RUNS=1000000 DLM_MODEL_SEED=7 npm test -- test/model/model.test.ts
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Flag } from '../../src/core/lock/flags.js';
import { matchScript } from './match.js';
import { scripts, type Call } from './script.js';

const numRuns = Number(process.env.DLM_MODEL_RUNS ?? 50_000);
const seed = Number(process.env.DLM_MODEL_SEED ?? 20_05);

/** Everything that has to happen at least once, by kind. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'calls accepted': [
    'lock', 'convert', 'unlock', 'cancel', 'deadlock', 'owner ends', 'owner purged', 'orphans purged', 'ten seconds pass',
  ],
  'flags accepted': Object.keys(Flag),
  refusals: ['EINVAL', 'EBUSY', 'ENOENT', 'EAGAIN'],
  callbacks: ['OK', 'EAGAIN', 'EDEADLK', 'ECANCEL', 'EUNLOCK', 'waits', 'blocks', 'adopted'],
  results: ['DEMOTED', 'VALNOTVALID', 'ALTMODE'],
  'state of the value': ['none', 'valid', 'invalid'],
  rules: [
    'grant 1: EXPEDITE', 'grant 2: a holder is in the way', 'grant 3: a converter is in the way', 'grant 5: a conversion that fits',
    'grant 6: QUECVT', 'grant 6: QUECVT and others convert', 'grant 7: NOORDER', 'grant 8: the first converter', 'grant 9: nobody queues',
    'grant 10: the first waiter', 'grant 11: not its turn', 'deadlock with one ahead', 'deadlock with one behind', 'demoted in a pass',
    'granted in the mode it held', 'told on arrival', 'told on arrival, PR and CW', 'told after a pass', 'told after a pass, PR of CW', 'told to an adopter',
    'value read', 'value written', 'value invalidated', 'a waiting orphan ends',
  ],
};

class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string, what: string, count = 1): void {
    const key = `${kind}/${what}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  of(kind: string, what: string): number {
    return this.#counts.get(`${kind}/${what}`) ?? 0;
  }

  addCall({ verb, flags }: Call, answer: string, callbacks: string): void {
    if (answer !== 'ok') return this.add('refusals', answer);
    this.add('calls accepted', verb);
    for (const flag of flags) this.add('flags accepted', flag);
    for (const callback of callbacks === '' ? [] : callbacks.split(', ')) {
      const [, what, , ...rest] = callback.split(' ');
      this.add('callbacks', what!);
      for (const result of rest.slice(0, -2)) this.add('results', result);
      if (rest.length > 0) this.add('state of the value', rest.at(-1)!);
    }
  }
}

test(`${numRuns} scripts: both lock managers agree after every call`, (context) => {
  const tally = new Tally();
  let calls = 0;
  const property = fc.property(scripts, (script) => {
    const hits = matchScript(script, (call, { answer, callbacks }) => tally.addCall(call, answer, callbacks));
    for (const [rule, count] of hits) tally.add('rules', rule, count);
    calls += script.calls.length;
  });
  fc.assert(property, { numRuns, seed });

  context.diagnostic(`${numRuns} scripts, ${calls} calls, seed ${seed}`);
  for (const [kind, all] of Object.entries(expected)) {
    context.diagnostic(`${kind}: ${all.map((what) => `${what} ${tally.of(kind, what)}`).join(', ')}`);
  }
  const never = Object.entries(expected).flatMap(([kind, all]) =>
    all.filter((what) => tally.of(kind, what) === 0).map((what) => `${kind}: ${what}`),
  );
  assert.deepEqual(never, [], 'this never happened, so nothing was compared');
});
