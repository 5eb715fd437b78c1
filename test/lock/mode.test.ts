/**
 * The six modes: which may be held side by side, which conversions go down, and
 * how modes are named. The table is written out again here, cell by cell.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CW, EX, IV, NL, PR, areMiddlePair, compatible, conflictsWithAny, isDown, isMode, modeNamed, modeNames, modes, nameOfMode, withMode,
} from '../../src/core/lock/mode.js';

/** Row: held; column: asked, NL to EX. */
const sideBySide = [
  /* NL */ 'yes yes yes yes yes yes',
  /* CR */ 'yes yes yes yes yes no',
  /* CW */ 'yes yes yes no no no',
  /* PR */ 'yes yes no yes no no',
  /* PW */ 'yes yes no no no no',
  /* EX */ 'yes no no no no no',
].map((row) => row.split(' ').map((cell) => cell === 'yes'));

test('two modes are compatible as the table says', () => {
  for (const held of modes) {
    for (const asked of modes) {
      assert.equal(compatible(held, asked), sideBySide[held]![asked], `${modeNames[held]} beside ${modeNames[asked]}`);
    }
  }
});

test('who holds nothing is in nobody\'s way', () => {
  for (const mode of modes) assert.ok(compatible(IV, mode) && compatible(mode, IV));
});

test('a mode conflicts with a set if it is incompatible with one mode of it', () => {
  for (let set = 0; set < 64; set += 1) {
    const members = modes.filter((mode) => (set >> mode) % 2 === 1);
    assert.equal(members.reduce<number>(withMode, 0), set);
    for (const asked of modes) {
      assert.equal(conflictsWithAny(asked, set), members.some((held) => !sideBySide[held]![asked]));
    }
  }
});

test('a conversion is down if the number falls, but between PR and CW it is neither up nor down', () => {
  for (const from of modes) {
    for (const to of modes) {
      const isMiddle = (from === PR && to === CW) || (from === CW && to === PR);
      assert.equal(areMiddlePair(from, to), isMiddle);
      assert.equal(isDown(from, to), to < from && !isMiddle);
    }
  }
});

test('a mode is a whole number from NL to EX', () => {
  assert.deepEqual([NL, EX, -1, 6, 2.5, NaN].map(isMode), [true, true, false, false, false, false]);
});

test('modes go by their names, in either case', () => {
  assert.deepEqual(modeNames.map(modeNamed), modes);
  assert.deepEqual(modes.map(nameOfMode), modeNames);
  assert.equal(modeNamed('pw'), modeNamed('PW'));
  assert.equal(modeNamed('XX'), null);
  assert.equal(nameOfMode(IV), 'IV');
});
