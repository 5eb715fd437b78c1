/**
 * The rules by which our law may differ from the kernel's: each is needed by a
 * scenario of its own, and covers nothing but what its choice can bring about.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { defaultLaw, kernelLaw, type Law } from '../../src/core/lock/law.js';
import { countByRule, runConformance, unexplainedSteps } from '../../src/core/sim/conformance/conformance.js';
import { differenceRules, type RuleName } from '../../src/core/sim/conformance/differences.js';
import { History } from '../../src/core/sim/conformance/history.js';
import { parseScenarios } from '../../src/core/sim/conformance/scenario.js';
import { recordByKernelLaw } from './random-scenarios.js';

/** For each choice, the shortest scenario that shows it. */
const stories: Readonly<Record<RuleName, string>> = {
  persistentStays: `
    lock p2:A res=R mode=EX flags=PERSISTENT
    convert p2:A mode=PR
    exit p2
    lock C res=R mode=PR flags=ORPHAN
    lock D res=R mode=EX`,
  waitingOrphanEnds: `
    lock A res=R mode=EX flags=VALBLK
    lock p2:B res=R mode=PR flags=PERSISTENT
    exit p2
    unlock A flags=VALBLK lvb=01
    lock C res=R mode=PR flags=VALBLK
    lock D res=R mode=PR flags=ORPHAN`,
  waitsEndFirst: `
    lock p2:A res=R mode=PR
    lock p2:B res=R mode=CR flags=PERSISTENT
    convert p2:B mode=CW flags=PERSISTENT
    exit p2
    lock C res=R mode=PR`,
  cancelAgainIsQuiet: `
    lock A res=R mode=PR
    lock B res=R mode=PR
    convert A mode=EX
    cancel A
    cancel A`,
  blockedCwIsFresh: `
    lock K res=R mode=CW
    lock Z res=R mode=CW
    lock V res=R mode=CR
    lock U res=R mode=CR
    lock X res=R mode=NL
    lock F res=R mode=NL
    convert Z mode=PR flags=NOORDER
    convert V mode=EX flags=NODLCKWT
    convert U mode=EX flags=NODLCKWT
    convert X mode=CW flags=QUECVT,ALTPR,HEADQUE
    convert F mode=PR flags=HEADQUE
    lock W res=R mode=PR
    unlock K`,
  deadlockedIsTold: `
    lock A res=R mode=NL
    lock B res=R mode=PR
    lock H res=R mode=CR
    convert A mode=CW
    convert B mode=EX flags=NODLCKWT
    convert H mode=CR`,
  grantLeavesConvertQueue: `
    lock A res=R mode=PR
    lock B res=R mode=NL
    lock C res=R mode=PR
    convert B mode=EX
    convert C mode=EX flags=QUECVT,ALTPR,NODLCKWT
    cancel B
    convert C mode=NL`,
  placeIsNoDeadlock: `
    lock A res=R mode=NL
    lock B res=R mode=CR
    lock H res=R mode=CW
    convert B mode=PR
    convert A mode=EX flags=HEADQUE
    unlock H`,
  arrivalIsFollowed: `
    lock H res=R mode=PR
    lock A res=R mode=EX
    lock B res=R mode=CR flags=HEADQUE`,
  orderSurvives: `
    nodes 3
    lock n3:A res=R mode=EX
    lock n2:B res=R mode=EX
    lock C res=R mode=EX
    lock n2:D res=R mode=PR
    kill n3`,
  middleIsResent: `
    nodes 3
    lock n3:N res=R mode=NL
    lock A res=R mode=PR
    lock n2:B res=R mode=PR
    ! convert A mode=CW
    ! convert n2:B mode=CW
    kill n3`,
  alternativeIsTold: `
    nodes 3
    lock A res=R mode=PR
    lock n2:B res=R mode=NL
    convert n2:B mode=PW flags=ALTPR
    convert n2:B mode=PW flags=QUECVT`,
  copiesAreKnown: `
    nodes 3
    lock n3:N res=R mode=NL
    lock A res=R mode=PR flags=VALBLK
    kill n3`,
  adoptionIsChecked: `
    lock B res=R mode=PR flags=ORPHAN,CANCEL
    lock p2:A res=R mode=EX flags=PERSISTENT
    exit p2
    lock B res=R mode=EX flags=ORPHAN,QUECVT`,
  adopterIsTold: `
    lock p2:A res=R mode=EX flags=PERSISTENT
    lock B res=R mode=EX
    exit p2
    lock C res=R mode=EX flags=ORPHAN,PERSISTENT`,
};

const names = Object.keys(defaultLaw) as RuleName[];

test('every switch of the law has a rule, and every rule a switch', () => {
  assert.deepEqual(differenceRules.map(({ name }) => name).sort(), [...names].sort());
});

describe('each choice, as the only one', () => {
  for (const name of names) {
    test(`${name} is needed by a scenario, and explains all of it`, () => {
      const text = `scenario choice\n${stories[name]}`;
      const run = (law: Law) => runConformance(text, recordByKernelLaw(text, name === 'middleIsResent' ? 3 : 0), law);
      const report = run({ ...kernelLaw, [name]: true });
      assert.deepEqual(unexplainedSteps(report), []);
      assert.deepEqual([...countByRule(report).keys()], [name]);
      assert.deepEqual(run(kernelLaw).different, []);
      assert.deepEqual(unexplainedSteps(run(defaultLaw)), []);
    });
  }
});

describe('a rule does not cover', () => {
  /** Does the rule cover this difference in the last line of the story? */
  function covers(name: RuleName, story: string, field: string, kernel: string, ours: string): boolean {
    const history = new History(parseScenarios(`scenario a\n${story}`)[0]!.steps);
    const [kind, subject = '', part = ''] = field.split(' ') as ['rc' | 'ev' | 'st', string?, string?];
    const rule = differenceRules.find((one) => one.name === name)!;
    return rule.covers({ history, difference: { kind, subject, part, kernel, ours } });
  }

  test('persistentStays: another resource, a living owner, or a lock that always said so', () => {
    const kept = 'lock p2:A res=R mode=EX flags=PERSISTENT\nconvert p2:A mode=PR\nlock X res=S mode=EX';
    assert.ok(covers('persistentStays', `${kept}\nexit p2`, 'st R', 'null', '{"g":["p2:A:PR"]}'));
    assert.ok(!covers('persistentStays', `${kept}\nexit p2`, 'st S', 'null', '{"g":["X:EX"]}'));
    assert.ok(!covers('persistentStays', kept, 'st R g', '', 'p2:A:PR'));
    assert.ok(!covers('persistentStays', `${kept}\nexit p3`, 'st R g', '', 'p2:A:PR'));
    assert.ok(!covers('persistentStays', 'lock p2:A res=R mode=EX flags=PERSISTENT\nexit p2', 'st R', 'null', '{}'));
    assert.ok(!covers('persistentStays', 'lock p2:A res=R mode=EX\nexit p2', 'st R', 'null', '{}'));
  });

  test('waitingOrphanEnds: anything that a ghost cannot do', () => {
    const ghost = 'lock A res=R mode=EX\nlock p2:B res=R mode=PR flags=PERSISTENT\nexit p2\nunlock A';
    assert.ok(covers('waitingOrphanEnds', ghost, 'st R', '{}', 'null'));
    assert.ok(!covers('waitingOrphanEnds', ghost, 'st R', 'null', '{}'));
    assert.ok(!covers('waitingOrphanEnds', ghost, 'st R', '{"g":["A:EX"]}', 'null'));
    assert.ok(!covers('waitingOrphanEnds', ghost, 'st R w', 'p2:B:>PR', ''));
    assert.ok(!covers('waitingOrphanEnds', ghost, 'ev A', 'ast(EUNLOCK)', ''));
    assert.ok(covers('waitingOrphanEnds', `${ghost}\nlock C res=R mode=PR`, 'ev C', 'ast(0,lvb=01)', 'ast(0,lvb=)'));
    assert.ok(covers('waitingOrphanEnds', `${ghost}\nlock C res=R mode=PR flags=ORPHAN`, 'rc', 'EAGAIN', 'ENOENT'));
    assert.ok(!covers('waitingOrphanEnds', `${ghost}\nlock C res=R mode=PR flags=ORPHAN`, 'rc', '0', 'ENOENT'));
    assert.ok(!covers('waitingOrphanEnds', `${ghost}\nlock C res=S mode=PR flags=ORPHAN`, 'rc', 'EAGAIN', 'ENOENT'));
  });

  test('waitsEndFirst: an owner with one lock there, or none that is persistent', () => {
    const two = 'lock p2:A res=R mode=EX\nlock p2:B res=R mode=EX flags=PERSISTENT\nlock p2:X res=S mode=EX flags=PERSISTENT';
    assert.ok(covers('waitsEndFirst', `${two}\nexit p2`, 'st R g', 'p2:B:EX', ''));
    assert.ok(!covers('waitsEndFirst', `${two}\nexit p2`, 'st S g', 'p2:X:EX', ''));
    assert.ok(!covers('waitsEndFirst', two, 'st R g', 'p2:B:EX', ''));
    assert.ok(!covers('waitsEndFirst', `${two.replaceAll(' flags=PERSISTENT', '')}\nexit p2`, 'st R g', 'p2:B:EX', ''));
  });

  test('cancelAgainIsQuiet: a first cancel, another code, another call', () => {
    const once = 'lock A res=R mode=PR\nconvert A mode=EX\ncancel A';
    assert.ok(covers('cancelAgainIsQuiet', `${once}\ncancel A`, 'rc', 'EINVAL', '0'));
    assert.ok(!covers('cancelAgainIsQuiet', once, 'rc', 'EINVAL', '0'));
    assert.ok(!covers('cancelAgainIsQuiet', `${once}\ncancel A`, 'rc', 'EBUSY', '0'));
    assert.ok(!covers('cancelAgainIsQuiet', `${once}\nunlock A`, 'rc', 'EINVAL', '0'));
    assert.ok(!covers('cancelAgainIsQuiet', `${once}\ncancel B`, 'rc', 'EINVAL', '0'));
    assert.ok(!covers('cancelAgainIsQuiet', `${once}\ncancel A`, 'ev A', 'ast(ECANCEL)', ''));
  });

  test('the two about blocking callbacks: completions, queues, or resources without such a conversion', () => {
    const cw = 'lock A res=R mode=PR\nlock X res=S mode=PR\nconvert A mode=CW';
    assert.ok(covers('blockedCwIsFresh', cw, 'ev A', 'ast(0) bast(CW)', 'ast(0)'));
    assert.ok(!covers('blockedCwIsFresh', cw, 'ev A', 'ast(0)', 'ast(0) bast(CW)'));
    assert.ok(!covers('blockedCwIsFresh', cw, 'ev A', 'ast(0) bast(CW)', 'bast(CW)'));
    assert.ok(!covers('blockedCwIsFresh', cw, 'ev X', 'bast(CW)', ''));
    assert.ok(!covers('blockedCwIsFresh', cw, 'st R g', 'A:CW', 'A:PR'));
    const stuck = 'lock A res=R mode=PR\nlock X res=S mode=PR\nconvert A mode=EX flags=NODLCKWT';
    assert.ok(covers('deadlockedIsTold', stuck, 'ev A', '', 'bast(EX)'));
    assert.ok(!covers('deadlockedIsTold', stuck, 'ev A', 'ast(0)', 'ast(EDEADLK)'));
    assert.ok(!covers('deadlockedIsTold', stuck, 'ev X', '', 'bast(EX)'));
    assert.ok(!covers('deadlockedIsTold', cw, 'ev A', '', 'bast(EX)'));
  });

  test('placeIsNoDeadlock: resources on which nobody converts at the head', () => {
    const head = 'lock A res=R mode=NL\nlock X res=S mode=NL\nconvert A mode=EX flags=HEADQUE';
    assert.ok(covers('placeIsNoDeadlock', head, 'ev A', '', 'ast(0)'));
    assert.ok(!covers('placeIsNoDeadlock', head, 'ev X', '', 'ast(0)'));
    assert.ok(!covers('placeIsNoDeadlock', head.replace(' flags=HEADQUE', ''), 'ev A', '', 'ast(0)'));
  });

  test('arrivalIsFollowed: calls that come behind the others, and resources that they are not on', () => {
    const head = 'lock H res=R mode=PR\nlock A res=R mode=EX\nlock X res=S mode=NL\nlock B res=R mode=CR flags=HEADQUE';
    assert.ok(covers('arrivalIsFollowed', head, 'ev B', '', 'ast(0)'));
    assert.ok(!covers('arrivalIsFollowed', head, 'ev X', '', 'ast(0)'));
    for (const flag of ['NOORDER', 'CONVDEADLK']) assert.ok(covers('arrivalIsFollowed', head.replace('HEADQUE', flag), 'ev A', '', 'bast(EX)'));
    assert.ok(!covers('arrivalIsFollowed', head.replace(' flags=HEADQUE', ''), 'ev B', '', 'ast(0)'));
  });

  test('the three of several nodes: other resources, and a change of members before the lock was asked for', () => {
    const two = 'lock n2:A res=R mode=EX\nlock B res=R mode=EX\nlock n2:X res=S mode=EX\nlock n3:Y res=S mode=EX';
    assert.ok(covers('orderSurvives', `${two}\nkill n3`, 'ev B', 'ast(0)', ''));
    assert.ok(!covers('orderSurvives', `${two}\nkill n3`, 'ev X', 'ast(0)', ''));
    assert.ok(!covers('orderSurvives', two, 'ev B', 'ast(0)', ''));
    assert.ok(!covers('orderSurvives', `kill n3\n${two}`, 'ev B', 'ast(0)', ''));
    const middle = 'lock n2:A res=R mode=PR\n! convert n2:A mode=CW';
    assert.ok(covers('middleIsResent', `${middle}\nkill n3`, 'st R c', '', 'n2:A:PR>CW'));
    assert.ok(!covers('middleIsResent', `${middle}\nkill n2`, 'st R c', '', 'n2:A:PR>CW'));
    assert.ok(!covers('middleIsResent', `${middle.replace('!', '')}\nkill n3`, 'st R c', '', 'n2:A:PR>CW'));
    assert.ok(covers('alternativeIsTold', 'lock A res=R mode=NL\nconvert A mode=PW flags=ALTPR', 'rc', 'EINVAL', '0'));
    assert.ok(!covers('alternativeIsTold', 'lock A res=R mode=PW flags=ALTPR', 'rc', 'EINVAL', '0'));
  });

  test('of adoptions: completions, and callbacks where nothing was adopted', () => {
    assert.ok(covers('adopterIsTold', 'lock A res=R mode=EX flags=ORPHAN', 'ev A', '', 'bast(EX)'));
    assert.ok(!covers('adopterIsTold', 'lock A res=R mode=EX flags=ORPHAN', 'ev A', '', 'ast(0)'));
    assert.ok(!covers('adopterIsTold', 'lock A res=R mode=EX', 'ev A', '', 'bast(EX)'));
  });

  test('the remaining two: resources on which nothing of the kind was asked', () => {
    const odd = 'lock A res=R mode=PR\nconvert A mode=EX flags=QUECVT,ALTPR,NODLCKWT\nlock B res=S mode=EX';
    assert.ok(covers('grantLeavesConvertQueue', odd, 'st R c', 'A:PR', ''));
    assert.ok(!covers('grantLeavesConvertQueue', odd, 'st S g', '', 'B:EX'));
    assert.ok(!covers('grantLeavesConvertQueue', odd.replace(',ALTPR', ''), 'st R c', 'A:PR', ''));
    assert.ok(covers('adoptionIsChecked', 'lock A res=R mode=EX flags=ORPHAN,CANCEL', 'rc', 'ENOENT', 'EINVAL'));
    assert.ok(!covers('adoptionIsChecked', 'lock A res=R mode=EX flags=ORPHAN', 'rc', 'ENOENT', 'EINVAL'));
  });
});

describe('docs/differences.md', () => {
  const page = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)];

  test('has a row for every switch, in the order of the law, and no other', () => {
    assert.deepEqual(rows.map(([, name]) => name), Object.keys(defaultLaw));
  });

  test('fills every column of every row', () => {
    for (const [, name, rest] of rows) {
      const cells = rest!.split('|').map((cell) => cell.trim());
      assert.equal(cells.length, 4, name);
      assert.ok(cells.every((cell) => cell.length > 10), name);
    }
  });

  test('says that all of them are on by default', () => {
    assert.ok(names.every((name) => defaultLaw[name] && !kernelLaw[name]));
    assert.match(page, /on by default/);
  });
});
