/**
 * One cell of the kill matrix, played with real processes.
 *
 * A script is in the state that the cell names, a rival wants the same lock in a
 * loop; then the cell's victims are killed, or stopped and continued. Afterwards
 * the script's exit code, its processes, the locks and the ledger tell whether
 * all went as it should, and the rival must get on.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cell, Section, State, Victim } from './expected.js';
import { childrenOf, isRunning, signalAll, until } from './processes.js';
import { Stage, type Actor } from './stage.js';

export interface Outcome {
  readonly exit: number;
  readonly section: Section;
  readonly overlaps: readonly string[];
  readonly leaked: number;
  readonly childrenLeft: number;
  readonly sections: number;
}

/** How long the stopped stay stopped: others have time to do something wrong. */
const stoppedMillis = 700;

/** Sections that the rival must still get through afterwards. */
const rivalSections = 2;

type Cast = Readonly<Record<'command' | 'child' | 'node' | 'shell', number>>;

const rolesOf: Readonly<Record<Victim, readonly (keyof Cast)[]>> = {
  command: ['command'],
  child: ['child'],
  node: ['node'],
  shell: ['shell'],
  'command and node': ['command', 'node'],
  all: ['command', 'child', 'node', 'shell'],
};

export async function play(cell: Cell): Promise<Outcome> {
  const stage = new Stage();
  try {
    const { victim, rival, cast } = await scenes[cell.state](stage);
    const struck = rolesOf[cell.victim].map((role) => cast[role]);
    await strike(struck, cell.kind);

    stage.tell('finish-rival');
    // Whoever is to end of what was done to it must not need the rival for it.
    if (cell.section === 'whole') for (const name of ['finish-hold', 'finish-victim']) stage.tell(name);
    const exit = await victim.exit;
    const childrenLeft = await victimGone(stage);
    stage.tell('finish-hold');
    await rivalGetsOn(stage);
    stage.tell('stop');
    await rival.exit;
    const leaked = await locksLeft(stage);
    const { begun, ended: done, overlaps } = stage.ledger;
    const section = (done['victim'] ?? 0) > 0 ? 'whole' : (begun['victim'] ?? 0) > 0 ? 'cut' : 'none';
    const sections = Object.values(begun).reduce((sum, count) => sum + count, 0);
    return { exit, section, overlaps, leaked, childrenLeft, sections };
  } finally {
    await stage.clear();
  }
}

interface Scene {
  readonly victim: Actor;
  readonly rival: Actor;
  readonly cast: Cast;
}

/** How each state comes about, and who plays what in it. */
const scenes: Readonly<Record<State, (stage: Stage) => Promise<Scene>>> = {
  async granted(stage) {
    const victim = stage.script('victim', 'victim.sh', 'at-once');
    const child = await stage.pidOf('victim');
    const rival = stage.script('rival', 'rival.sh');
    await lockIn(stage, 'waiting');
    return { victim, rival, cast: castOf(stage, victim, child) };
  },

  async waiting(stage) {
    const rival = stage.script('rival', 'rival.sh', 'EX');
    const child = await stage.pidOf('hold');
    const victim = stage.script('victim', 'victim.sh', 'at-once');
    await lockIn(stage, 'waiting');
    return { victim, rival, cast: castOf(stage, victim, child) };
  },

  async converting(stage) {
    const rival = stage.script('rival', 'rival.sh', 'PR');
    await stage.pidOf('hold');
    const victim = stage.script('victim', 'victim.sh', 'inside');
    await lockIn(stage, 'converting');
    return { victim, rival, cast: castOf(stage, victim, await stage.pidOf('convert')) };
  },

  async 'converting by id'(stage) {
    const rival = stage.script('rival', 'rival.sh', 'PR');
    await stage.pidOf('hold');
    const victim = stage.script('victim', 'victim.sh', 'by-id');
    await lockIn(stage, 'converting');
    const child = await stage.pidOf('convert');
    return { victim, rival, cast: { ...castOf(stage, victim, child), command: childrenOf(child)[0]! } };
  },
};

function castOf(stage: Stage, victim: Actor, child: number): Cast {
  return { shell: victim.pid, command: childrenOf(victim.pid)[0]!, child, node: stage.nodePid };
}

function lockIn(stage: Stage, state: 'waiting' | 'converting'): Promise<boolean> {
  return until(`a lock is ${state}`, async () => (await stage.locks()).some((lock) => lock.state === state));
}

async function strike(pids: readonly number[], kind: Cell['kind']): Promise<void> {
  if (kind !== 'STOP, CONT') return signalAll(pids, kind === 'TERM' ? 'SIGTERM' : 'SIGKILL');
  signalAll(pids, 'SIGSTOP');
  await pause(stoppedMillis);
  signalAll(pids, 'SIGCONT');
}

/** How many of the victim's processes have not gone in time. */
async function victimGone(stage: Stage): Promise<number> {
  await until('the processes of the victim have gone', () => stage.left('victim').length === 0).catch(() => undefined);
  return stage.left('victim').filter(isRunning).length;
}

async function rivalGetsOn(stage: Stage): Promise<void> {
  const ends = (): number => stage.ledger.ended['rival'] ?? 0;
  const before = ends();
  await until('the rival gets on', () => ends() >= before + rivalSections);
}

/** How many locks have not ended in time. */
async function locksLeft(stage: Stage): Promise<number> {
  await until('all locks have ended', async () => (await stage.locks()).length === 0).catch(() => undefined);
  return (await stage.locks()).length;
}
