/**
 * What somebody sees who watches a recovery: the frame on each rung, its fit into the
 * screen, and the keys.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { render } from 'ink-testing-library';
import { createElement } from 'react';
import type { CaseInfo, LockspaceRecovery, RecordedStep, RecoveryNews, RecoveryRecord, RecoveryState, Rung } from '../../src/core/index.js';
import { frameOf, textOf } from '../../src/terminal/recovery-frame.js';
import { changeLines, glanceAfter, type Glance } from '../../src/terminal/recovery-glance.js';
import { RecoveryView, type Frame } from '../../src/terminal/recovery-view.js';
import { until } from '../kill/processes.js';

const at = '2026-03-01T12:00:00.000Z';

function lockspace(over: Partial<LockspaceRecovery> = {}): LockspaceRecovery {
  return { lockspace: 'mail', order: 'gfs', standing: 'running', generation: 4, rung: null, waitsFor: [], words: '', ...over };
}

const openCase: CaseInfo = { node: 3, name: 'web3', incarnation: 9, since: 7, lockspaces: ['mail'], verdict: 'open', by: 1, attempts: 2, words: 'power: exit 1' };

function state(over: Partial<RecoveryState> = {}): RecoveryState {
  const members = [
    { node: 1, name: 'web1', address: 'unix:/a', incarnation: 5, lockspaces: ['mail'], link: 'self' as const },
    { node: 2, name: 'web2', address: 'unix:/b', incarnation: 6, lockspaces: ['mail'], link: 'down' as const },
  ];
  return { event: 'state', at, cluster: { name: 'west', view: 7, members }, node: 1, quorate: true, isWaiting: false, fencing: { isOn: true, words: 'process' }, cases: [], lockspaces: [lockspace()], current: [], ...over };
}

function step(over: Partial<RecordedStep> & { readonly lockspace?: string } = {}): RecoveryNews {
  return { event: 'step', lockspace: 'mail', step: 'fence', state: 'begun', node: 1, victim: 3, words: '', at, millis: 12.34, ...over };
}

function record(over: Partial<RecoveryRecord> = {}): RecoveryRecord {
  return { kind: 'recovery', lockspace: 'mail', generation: 4, order: 'fence<dlm', node: 1, views: [7], at, members: [1, 2], victims: [3], lived: [], toRecover: [], left: [], came: [], steps: [], phases: [], stoppedMillis: 20, totalMillis: 31.5, ...over };
}

/** After all of this news. */
function glance(...news: readonly RecoveryNews[]): Glance {
  return news.reduce<Glance | null>((before, one) => glanceAfter(before, one), null)!;
}

const shown = (seen: Glance, columns = 80, rows = 23): string[] => frameOf(seen, { columns, rows }).map(textOf);

function drawn(frame: Frame, onLeave: (key: string) => void = () => undefined): ReturnType<typeof render> {
  return render(createElement(RecoveryView, { frame, isColoured: false, hasKeys: true, isOver: false, onLeave }));
}

/** On which it stands, with how far it is. */
const ladders: readonly (readonly [Rung, string, string])[] = [
  ['ringid', 'joining', '>ringid .quorum .fencing .suspend .dlm .app  waits'],
  ['quorum', 'no quorum', '+ringid >quorum .fencing .suspend .dlm .app  waits'],
  ['fencing', 'ready', '+ringid +quorum >fencing .suspend .dlm .app  waits'],
  // Locks are recovered while somebody is still being fenced.
  ['fencing', 'locks', '+ringid +quorum >fencing +suspend .dlm .app  waits'],
  ['fencing', 'running', '+ringid +quorum >fencing +suspend +dlm .app  waits'],
  ['suspend', 'ready', '+ringid +quorum +fencing >suspend .dlm .app  waits'],
  ['dlm', 'locks', '+ringid +quorum +fencing +suspend >dlm .app  waits'],
  ['app', 'running', '+ringid +quorum +fencing +suspend +dlm >app  waits'],
];

describe('the frame', () => {
  for (const [rung, standing, ladder] of ladders) {
    test(`shows a lockspace that waits on the rung ${rung} and stands at ${standing}, for whom, and why`, () => {
      const waiting = lockspace({ rung, standing, waitsFor: [2], words: `the words for ${rung}` });
      const view = drawn((room) => frameOf(glance(state({ lockspaces: [waiting] })), room));
      assert.equal(
        view.lastFrame(),
        [
          'cluster west   view 7   quorate   seen by node 1 (web1)',
          '  node 1 (web1) self   node 2 (web2) down',
          '',
          'LOCKSPACE  LADDER',
          `mail       ${ladder}`,
          `           for node 2: the words for ${rung}`,
          '',
          '+ reached   > waits here   . comes later   - not in its order   q leaves',
        ].join('\n'),
      );
      view.unmount();
    });
  }

  test('has all rungs reached where nothing waits, and leaves out what is not in the order', () => {
    assert.ok(shown(glance(state())).includes('mail       +ringid +quorum +fencing +suspend +dlm +app  running'));
    const few = shown(glance(state({ lockspaces: [lockspace({ order: 'fence-first' }), lockspace({ lockspace: 'scratch', order: 'none' })] })));
    assert.deepEqual(few.slice(4, 6), ['mail       +ringid +quorum +fencing -suspend +dlm -app  running', 'scratch    +ringid +quorum -fencing -suspend +dlm -app  running']);
  });

  test('has whole words on a narrow screen', () => {
    const waiting = lockspace({ rung: 'app', waitsFor: [2], words: 'slot 2 of node 3 is to be recovered by node 2' });
    assert.deepEqual(shown(glance(state({ lockspaces: [waiting, lockspace({ lockspace: 'scratch' })] })), 60).slice(3), [
      'LOCKSPACE  LADDER',
      'mail       +ringid +quorum +fencing +suspend +dlm >app',
      '           for node 2: slot 2 of node 3 is to be recovered',
      '           by node 2',
      'scratch    +ringid +quorum +fencing +suspend +dlm +app',
      '           running',
      '',
      '+ reached   > waits here   . comes later',
      '- not in its order',
    ]);
  });

  test('says that there is no quorum, that nobody is fenced, and who may still act', () => {
    const text = shown(glance(state({ quorate: false, fencing: { isOn: false, words: 'none' }, cases: [openCase, { ...openCase, node: 4, verdict: 'fenced' }] }))).join('\n');
    assert.match(text, /view 7 {3}NOT QUORATE/);
    assert.match(text, /failed nodes are NOT fenced \(none\)/);
    assert.match(text, /OPEN CASES\nnode 3 \(web3, life 9\) has failed; node 1 fences it; 2 attempts in vain: power:\nexit 1\n/);
    assert.doesNotMatch(text, /node 4/);
  });

  test('shows the steps of lockspaces that recover together once, and how it ended', () => {
    const both = [step(), step({ lockspace: 'scratch' }), step({ step: 'dlm', victim: null, millis: 1500 })];
    const during = shown(glance(state(), ...both));
    assert.deepEqual(during.slice(6, 10), ['mail recovers', 'scratch recovers', '    12.3 ms  mail, scratch: fence of node 3 begun on node 1', '     1.50 s  mail: dlm begun on node 1']);
    const after = shown(glance(state(), step(), { event: 'ended', record: record() }));
    assert.deepEqual(after.slice(6, 8), ['mail has recovered: node 3 failed, stopped for 20.0 ms, done after 31.5 ms; generation 4', '    12.3 ms  fence of node 3 begun on node 1']);
    const anew = shown(glance(state(), step(), { event: 'ended', record: record() }, step({ victim: 2, node: 1 })));
    assert.deepEqual(anew.slice(6, 8), ['mail recovers', '    12.3 ms  fence of node 2 begun on node 1']);
  });

  test('has no more lines than the screen, and keeps the last steps', () => {
    const many = Array.from({ length: 40 }, (_, index) => step({ millis: index, victim: index }));
    const lines = shown(glance(state(), ...many), 80, 15);
    assert.equal(lines.length, 15);
    assert.match(lines.at(-3)!, /fence of node 39 begun/);
    assert.equal(shown(glance(state(), ...many), 80, 5).length, 5);
  });

  test('escapes what could write to the terminal', () => {
    const text = shown(glance(state({ cases: [{ ...openCase, name: 'a\u001b[2J' }] }))).join('');
    assert.equal(text.includes('\u001b'), false);
  });
});

describe('the screen', () => {
  test('is drawn anew when it has another size, one row less than there are', async () => {
    const seen: string[] = [];
    const view = drawn(({ columns, rows }) => {
      seen.push(`${columns}x${rows}`);
      return [];
    });
    assert.equal(seen.at(-1), '100x23');
    Object.defineProperties(view.stdout, { columns: { value: 40 }, rows: { value: 10 } });
    await until('it is drawn with the new size', () => {
      view.stdout.emit('resize');
      return seen.at(-1) === '40x9';
    });
    view.unmount();
  });

  test('hears q and Ctrl-C', async () => {
    const keys = new Set<string>();
    const view = drawn(() => [], (key) => keys.add(key));
    await until('both are heard', () => {
      view.stdin.write('q');
      view.stdin.write('\u0003');
      return keys.has('q') && keys.has('Ctrl-C');
    });
    view.unmount();
  });
});

describe('without a screen', () => {
  /** The lines for each piece of news after the first. */
  function lines(...news: readonly RecoveryNews[]): string[] {
    let before: Glance | null = null;
    return news.flatMap((one) => {
      const after: Glance = glanceAfter(before, one)!;
      const said = changeLines(before, after, one);
      before = after;
      return said;
    });
  }

  test('there is a line for each thing that has changed, and none for what has not', () => {
    const waiting = state({ lockspaces: [lockspace({ rung: 'fencing', waitsFor: [1], words: 'node 3 is being fenced' })], cases: [openCase] });
    assert.deepEqual(lines(state(), state(), waiting, step(), { event: 'ended', record: record() }, state()).map((line) => line.slice(at.length + 2)), [
      'cluster west, view 7, quorate; node 1 (web1) self, node 2 (web2) down',
      'lockspace mail waits for nothing: running',
      'node 3 (web3, life 9) has failed; node 1 fences it; 2 attempts in vain: power: exit 1',
      'lockspace mail waits: fencing, node 3 is being fenced',
      'mail: 12.3 ms, fence of node 3 begun on node 1',
      'mail has recovered: node 3 failed, stopped for 20.0 ms, done after 31.5 ms; generation 4',
      'lockspace mail waits for nothing: running',
    ]);
  });

  test('one lockspace can be followed alone; one that is not joined is refused', () => {
    const focus = { lockspace: 'mail' };
    const first = glanceAfter(null, state({ lockspaces: [lockspace(), lockspace({ lockspace: 'other' })] }), focus)!;
    assert.deepEqual(first.state.lockspaces.map(({ lockspace: name }) => name), ['mail']);
    assert.equal(glanceAfter(first, step({ lockspace: 'other' }), focus), first);
    assert.equal(glanceAfter(first, { event: 'ended', record: record({ lockspace: 'other' }) }, focus), first);
    assert.throws(() => glanceAfter(null, state(), { lockspace: 'mial' }), { code: 'DLM_LOCKSPACE_UNKNOWN' });
  });
});
