/**
 * The rules of a call's flags: each breaks on what it forbids and on nothing else.
 *
 * What is merely useless is accepted; the stories at the end say so of each.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Flag, brokenConvertRule, brokenLockRule, brokenUnlockRule, flagNamed, namesOfFlags, namesOfResults, Result, rules, type FlagName,
} from '../../src/core/lock/flags.js';
import { EX, NL, PR, modeNamed, modeNames, modes } from '../../src/core/lock/mode.js';
import { tell } from './story.js';

const names = Object.keys(Flag) as FlagName[];

test('flags have the numbers of the field', () => {
  const inOrder = [
    'NOQUEUE', 'CANCEL', 'CONVERT', 'VALBLK', 'QUECVT', 'IVVALBLK', 'CONVDEADLK', 'PERSISTENT', 'NODLCKWT', 'NODLCKBLK', 'EXPEDITE',
    'NOQUEUEBAST', 'HEADQUE', 'NOORDER', 'ORPHAN', 'ALTPR', 'ALTCW', 'FORCEUNLOCK', 'TIMEOUT',
  ];
  assert.deepEqual(names, inOrder);
  for (const [place, name] of names.entries()) assert.equal(Flag[name], 2 ** place);
  // The last is ours: an unlock outside the quorum whose value nobody has kept.
  assert.deepEqual(Result, { DEMOTED: 1, VALNOTVALID: 2, ALTMODE: 4, NOTSTORED: 8 });
});

test('flags and results go by their names', () => {
  assert.deepEqual(names.map((name) => flagNamed(name.toLowerCase())), names.map((name) => Flag[name]));
  assert.equal(flagNamed('SOMETHING'), null);
  assert.deepEqual(namesOfFlags(Flag.ALTCW | Flag.NOQUEUE), ['NOQUEUE', 'ALTCW']);
  assert.deepEqual(namesOfResults(15), ['DEMOTED', 'VALNOTVALID', 'ALTMODE', 'NOTSTORED']);
});

describe('a lock or convert call may not', () => {
  const broken = (flags: number, mode: number = PR, length = 1): string | undefined => brokenLockRule(flags, mode, length)?.name;

  test('ask for a mode outside NL to EX', () => {
    for (const mode of [-1, 6, 2.5]) assert.equal(broken(0, mode), 'mode-known');
  });

  test('name a resource with more than 64 bytes, but a conversion names none', () => {
    assert.deepEqual([broken(0, PR, 0), broken(0, PR, 64), broken(0, PR, 65)], [undefined, undefined, 'name-length']);
    assert.equal(broken(Flag.CONVERT, PR, 65), undefined);
  });

  /** Each pair of flags, on a request for PR and on one for NL; everything that is not listed is accepted. */
  const ruleOfPair = (one: FlagName, other: FlagName, isNl: boolean): string | undefined => {
    const has = (...flags: FlagName[]): boolean => flags.every((flag) => flag === one || flag === other);
    if (has('CANCEL')) return 'cancel-is-for-cancel';
    if (has('QUECVT') && !has('QUECVT', 'CONVERT')) return 'quecvt-needs-convert';
    if (has('CONVDEADLK') && !has('CONVDEADLK', 'CONVERT')) return 'convdeadlk-needs-convert';
    if (has('EXPEDITE', 'CONVERT')) return 'expedite-is-new';
    if (has('EXPEDITE', 'NOQUEUE')) return 'expedite-never-queues';
    return has('EXPEDITE') && !isNl ? 'expedite-is-nl' : undefined;
  };

  test('combine two flags that exclude each other', () => {
    for (const mode of [PR, NL]) {
      for (const one of names) {
        for (const other of names) {
          assert.equal(broken(Flag[one] | Flag[other], mode), ruleOfPair(one, other, mode === NL), `${one} with ${other}`);
        }
      }
    }
  });

  test('resolve a deadlock that it would not wait in, or hurry what does not queue', () => {
    assert.equal(broken(Flag.CONVERT | Flag.CONVDEADLK | Flag.NOQUEUE), 'convdeadlk-waits');
    assert.equal(broken(Flag.CONVERT | Flag.QUECVT | Flag.EXPEDITE, NL), 'expedite-is-new');
  });
});

describe('an unlock or a cancel', () => {
  test('takes CANCEL, VALBLK, IVVALBLK and FORCEUNLOCK, and no other flag', () => {
    const taken = new Set<FlagName>(['CANCEL', 'VALBLK', 'IVVALBLK', 'FORCEUNLOCK']);
    for (const name of names) {
      assert.equal(brokenUnlockRule(Flag[name])?.name, taken.has(name) ? undefined : 'unlock-flags', name);
    }
    assert.equal(brokenUnlockRule(Flag.CANCEL | Flag.FORCEUNLOCK)?.name, 'cancel-or-force');
    assert.equal(brokenUnlockRule(Flag.CANCEL | Flag.VALBLK), null);
  });
});

test('QUECVT is for the conversions of this table', () => {
  const queueable = new Map([
    ['NL', 'CR CW PR PW EX'],
    ['CR', 'CW PR PW EX'],
    ['CW', 'PR PW EX'],
    ['PR', 'CW PW EX'],
    ['PW', 'EX'],
    ['EX', ''],
  ]);
  for (const from of modeNames) {
    for (const to of modes) {
      const isAllowed = queueable.get(from)!.split(' ').includes(modeNames[to]!);
      const rule = brokenConvertRule(Flag.QUECVT | Flag.CONVERT, modeNamed(from)!, to);
      assert.equal(rule?.name, isAllowed ? undefined : 'quecvt-goes-up', `${from} to ${modeNames[to]}`);
      assert.equal(brokenConvertRule(Flag.CONVERT, modeNamed(from)!, to), null);
    }
  }
});

test('every rule has a name of its own and a sentence', () => {
  assert.equal(new Set(rules.map((rule) => rule.name)).size, rules.length);
  for (const { text } of rules) assert.match(text, /^\S.{10,}\S$/);
});

test('accepted though useless: names without bytes, and flags that mean nothing here', () => {
  assert.equal(brokenLockRule(1 << 20, EX, 0), null);
  for (const flag of ['TIMEOUT', 'FORCEUNLOCK', 'NOQUEUEBAST', 'IVVALBLK', 'NODLCKWT', 'NODLCKBLK', 'ALTPR', 'PERSISTENT']) {
    tell(`A lock EX ${flag} -> A OK EX`);
  }
  tell(`
    A lock NL            -> A OK NL
    A convert NL CONVDEADLK -> A OK NL
  `);
});
