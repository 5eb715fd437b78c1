/**
 * The value block: what each grant and unlock does with it, what its readers are
 * told, and how long it lives.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { transferOf } from '../../src/core/lock/lvb.js';
import { IV, modeNamed, modeNames } from '../../src/core/lock/mode.js';
import { Stage, tell } from './story.js';

/** From row to column, NL to EX: R the caller gets the value, W the caller's becomes it. */
const table = new Map([
  ['NL', 'R R R R R R'],
  ['CR', '- R R R R R'],
  ['CW', '- - R R R R'],
  ['PR', '- - - R R R'],
  ['PW', 'W W W W W R'],
  ['EX', 'W W W W W W'],
]);
const cells = modeNames.flatMap((from) =>
  table.get(from)!.split(' ').map((cell, to) => ({ from, to: modeNames[to]!, cell })),
);

test('the table of transfers', () => {
  const words = { R: 'read', W: 'write', '-': 'none' } as Record<string, string>;
  for (const { from, to, cell } of cells) {
    assert.equal(transferOf(modeNamed(from)!, modeNamed(to)!), words[cell], `${from} to ${to}`);
  }
  for (const to of modeNames) assert.equal(transferOf(IV, modeNamed(to)!), 'read', `new ${to}`);
});

describe('a conversion', () => {
  /** The resource has the value "old" and K in NL to keep it; B is in `from`. */
  function stageOf(from: string): Stage {
    const stage = new Stage();
    stage.perform('K lock NL');
    stage.perform('B lock EX VALBLK');
    stage.perform('B convert NL VALBLK "old"');
    if (from !== 'NL') stage.perform(`B convert ${from}`);
    return stage;
  }

  test('with VALBLK reads, writes, or does neither, as the table says', () => {
    for (const { from, to, cell } of cells) {
      const stage = stageOf(from);
      const answer = stage.perform(`B convert ${to} VALBLK "new"`);
      assert.deepEqual(answer, [cell === 'R' ? `B OK ${to} "old"` : `B OK ${to}`], `${from} to ${to}`);
      assert.equal(stage.show('R'), `G[K:NL B:${to}] value "${cell === 'W' ? 'new' : 'old'}"`);
    }
  });

  test('without VALBLK does neither', () => {
    for (const { from, to } of cells) {
      const stage = stageOf(from);
      assert.deepEqual(stage.perform(`B convert ${to}`), [`B OK ${to}`]);
      assert.equal(stage.show('R'), `G[K:NL B:${to}] value "old"`);
    }
  });

  test('with IVVALBLK makes the value invalid where it would write, with or without VALBLK', () => {
    for (const { from, to, cell } of cells) {
      for (const flags of ['IVVALBLK', 'IVVALBLK VALBLK "new"']) {
        const stage = stageOf(from);
        stage.perform(`B convert ${to} ${flags}`);
        assert.equal(stage.show('R'), `G[K:NL B:${to}] value "old"${cell === 'W' ? ' invalid' : ''}`);
      }
    }
  });

  test('that is refused carries neither value nor mark', () => tell(`
    A lock EX VALBLK            -> A OK EX
    A convert PR VALBLK "v"     -> A OK PR
    B lock EX NOQUEUE VALBLK    -> B EAGAIN
    C lock PR NOQUEUE VALBLK    -> C OK PR "v"
    C convert EX NOQUEUE VALBLK -> C EAGAIN PR
  `));
});

describe('an unlock', () => {
  const unlocks = (flags: string): [string, string][] =>
    modeNames.map((mode) => {
      const stage = new Stage();
      for (const call of ['K lock NL', 'B lock EX VALBLK', 'B convert NL VALBLK "old"', `B convert ${mode}`]) stage.perform(call);
      stage.perform(`B unlock ${flags}`);
      return [mode, stage.show('R').replace('G[K:NL] ', '')];
    });
  const fromPwAndEx = (value: string): [string, string][] =>
    modeNames.map((mode) => [mode, mode === 'PW' || mode === 'EX' ? value : 'value "old"']);

  test('writes from PW and EX with VALBLK', () => assert.deepEqual(unlocks('VALBLK "new"'), fromPwAndEx('value "new"')));
  test('invalidates from PW and EX with IVVALBLK', () => assert.deepEqual(unlocks('IVVALBLK'), fromPwAndEx('value "old" invalid')));
  test('is told both: IVVALBLK wins', () => assert.deepEqual(unlocks('IVVALBLK VALBLK "new"'), fromPwAndEx('value "old" invalid')));
  test('without a flag leaves the value alone', () => assert.deepEqual(unlocks(''), fromPwAndEx('value "old"')));

  test('that brings no value writes none, whatever the lock has read', () => tell(`
    K lock NL                   -> K OK NL
    A lock EX VALBLK            -> A OK EX
    A convert EX VALBLK "old"   -> A OK EX
    A unlock IVVALBLK           -> A EUNLOCK
    B lock EX VALBLK            -> B OK EX +VALNOTVALID "old"
    B unlock                    -> B EUNLOCK
                                -> G[K:NL] value "old" invalid
  `));

  test('keeps the flags of the last call, so that a lock taken with VALBLK writes its copy', () => tell(`
    K lock NL                   -> K OK NL
    A lock EX VALBLK            -> A OK EX
    A unlock "mine"             -> A EUNLOCK
                                -> G[K:NL] value "mine"
  `));
});

describe('a reader', () => {
  test('of a value that was never written gets none, also after IVVALBLK', () => tell(`
    K lock NL                   -> K OK NL
    A lock EX VALBLK            -> A OK EX
    A unlock IVVALBLK           -> A EUNLOCK
    B lock PR VALBLK            -> B OK PR
                                -> G[K:NL B:PR] value none invalid
    C lock PR                   -> C OK PR
    C convert NL                -> C OK NL +VALNOTVALID
  `));

  test('of an invalid one gets the old bytes and is warned, with VALBLK only', () => tell(`
    K lock NL                   -> K OK NL
    A lock EX VALBLK            -> A OK EX
    A convert EX VALBLK "old"   -> A OK EX
    A unlock IVVALBLK           -> A EUNLOCK
    B lock PR VALBLK            -> B OK PR +VALNOTVALID "old"
    C lock PR                   -> C OK PR
    # a conversion that moves nothing is warned in any case
    C convert CR                -> C OK CR +VALNOTVALID
    C convert NL VALBLK         -> C OK NL +VALNOTVALID
  `));

  test('who waits gets the value as it is when the grant comes', () => tell(`
    A lock EX VALBLK            -> A OK EX
    B lock PR VALBLK            -> B waits, A blocks PR
    A convert NL VALBLK "late"  -> A OK NL, B OK PR "late"
  `));
});

describe('the mark "not valid"', () => {
  test('goes with any write', () => {
    for (const write of ['B convert PW VALBLK "new"', 'B convert NL VALBLK "new"', 'B unlock VALBLK "new"']) {
      const stage = new Stage();
      for (const call of ['K lock NL', 'A lock EX VALBLK', 'A unlock IVVALBLK', 'B lock EX', write]) stage.perform(call);
      assert.match(stage.show('R'), /value "new"$/);
    }
  });

  test('comes when a holder of PW or EX dies, and not when a reader does', () => tell(`
    K lock NL                   -> K OK NL
    A lock EX VALBLK            -> A OK EX
    A convert NL VALBLK "old"   -> A OK NL
    B/2 lock PR VALBLK          -> B/2 OK PR "old"
    owner 2 ends                -> nothing
                                -> G[K:NL A:NL] value "old"
    C/3 lock PW                 -> C/3 OK PW
    owner 3 ends                -> nothing
                                -> G[K:NL A:NL] value "old" invalid
  `));

  test('is remembered for ten seconds after the last lock, though the value is not', () => tell(`
    A lock EX VALBLK            -> A OK EX
    A convert EX VALBLK "old"   -> A OK EX
    A unlock IVVALBLK           -> A EUNLOCK
                                -> nothing
    9999 ms pass                -> nothing
    B lock PR VALBLK            -> B OK PR
    B convert NL                -> B OK NL +VALNOTVALID
    B unlock                    -> B EUNLOCK
    10000 ms pass               -> nothing
    C lock PR VALBLK            -> C OK PR
    C convert NL                -> C OK NL
  `));
});
