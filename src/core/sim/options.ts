/**
 * What a world is like: everything that is drawn for a seed, so that it can be
 * printed. Each seed gets a mix of its own, in which most kinds of trouble are
 * absent and the others come often (swarm testing).
 */
import { Prng } from '../base/prng.js';
import { defaultLaw, kernelLaw, type Law } from '../lock/law.js';
import { defaultConfig, type LockspaceConfig } from '../node/snapshot.js';
import { drawAftermath, noAftermath, type AftermathOptions } from './aftermath-options.js';
import type { EngineOptions } from './engine.js';
import { drawHabits, type HabitOptions } from './habit-options.js';
import type { NetworkOptions } from './network.js';

export const faultKinds = [
  'crash',
  'quickRestart',
  'pause',
  'partition',
  'isolate',
  'oneWay',
  'clog',
  'leaveLockspace',
  'joinStorm',
  'lateViews',
  'crashInRecovery',
  'withdraw',
  'applicationDies',
  'blackout',
  'crashUnheard',
  'quorumLost',
] as const;
export type FaultKind = (typeof faultKinds)[number];

const lateKinds: readonly FaultKind[] = ['applicationDies', 'blackout', 'crashUnheard', 'quorumLost'];

export interface NemesisOptions {
  /** From one fault to the next, on the average. */
  readonly everyMillis: number;
  /** How often each kind, beside the others; 0: never. */
  readonly weights: Readonly<Record<FaultKind, number>>;
  /** The longest time until a node is up again, and until trouble in the network is over. */
  readonly downMillis: number;
  readonly troubleMillis: number;
  /** How long a life that has been left out goes on at most. */
  readonly zombieMillis: number;
  /** Do all nodes come back in the end, or only a majority? */
  readonly healsAll: boolean;
}

export interface WorkloadOptions {
  readonly ownersPerNode: number;
  readonly locksPerOwner: number;
  /** From one act of a node's owners to the next, on the average. */
  readonly everyMillis: number;
  readonly hotNames: number;
  readonly coldNames: number;
  /** Of a thousand locks, how many are for a hot name, are plain EX, have flags, bring a value, or are persistent. */
  readonly hotPerMille: number;
  readonly exclusivePerMille: number;
  readonly flagsPerMille: number;
  readonly valuePerMille: number;
  readonly persistentPerMille: number;
  /** Of a thousand locks, of how many nobody hears that others wait. */
  readonly deafPerMille: number;
  /** Of a thousand conversions, how many would also do with another mode. */
  readonly alternativePerMille: number;
  readonly lockspaces: readonly string[];
  /** What came to be drawn late; null: none of it. */
  readonly habits: HabitOptions | null;
}

/** What all lockspaces of a world are like. */
export interface LockspaceOptions {
  readonly nodir: boolean;
  /** The switches of the law that are as in the kernel; all others are the project's. */
  readonly asInKernel: readonly (keyof Law)[];
}

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  /** How long the safety phase lasts. */
  readonly simMillis: number;
  readonly weights: readonly number[];
  readonly lockspace: LockspaceOptions;
  readonly network: NetworkOptions;
  readonly engine: EngineOptions;
  readonly nemesis: NemesisOptions;
  readonly workload: WorkloadOptions;
  readonly aftermath: AftermathOptions;
}

/** What the seed says a world is like. */
export function drawOptions(seed: number, nodes: number, simMillis: number): WorldOptions {
  const prng = new Prng(`options ${seed}`);
  const delayMin = prng.pick([0, 1, 1, 5, 20]);
  const world = {
    seed,
    nodes,
    simMillis,
    weights: drawWeights(prng, nodes),
    lockspace: drawLockspace(prng.fork('lockspace')),
    network: {
      delayMin,
      delayMax: delayMin + prng.pick([1, 3, 10, 40, 100]),
      lossPerMille: prng.pick([0, 0, 5, 30, 100]),
      repeatPerMille: prng.pick([0, 0, 5, 30, 100]),
      strayPerMille: prng.pick([0, 0, 2, 20]),
    },
    engine: { detectMillis: prng.between(200, 3000), newsMillis: prng.pick([5, 20, 100, 400]), movesWeights: prng.fork('moving weights').chance(200), stopsAlone: prng.fork('stopping alone').chance(200) },
    nemesis: drawNemesis(prng),
    workload: { ...drawWorkload(prng), deafPerMille: drawDeaf(prng.fork('deaf')), alternativePerMille: 0, habits: null },
  };
  const alternativePerMille = drawAlternatives(prng.fork('alternatives'), world.lockspace);
  const aftermath = drawAftermath(prng.fork('aftermath'), nodes, world.engine.detectMillis);
  // Who writes to a disk wants it for himself, and others want the same: so the dead leave something behind.
  const wanted = aftermath.hasDisk ? { exclusivePerMille: 800, coldNames: 5, locksPerOwner: 4 } : {};
  const habits = drawHabits(prng.fork('habits'));
  const crowd = habits?.isCrowded === true ? { hotPerMille: 900, hotNames: 2, exclusivePerMille: 0, ownersPerNode: 4, locksPerOwner: 3, lockspaces: ['alpha'] } : {};
  const workload = { ...world.workload, ...wanted, ...crowd, alternativePerMille, habits };
  return { ...world, aftermath, workload, nemesis: drawLateFaults(prng.fork('late faults'), world.nemesis, aftermath, nodes) };
}

/** The same world without what came to be drawn last: the habits of owners, shares that move, masters that end unheard, quorum that is lost, for all or for one. */
export function asBefore(options: WorldOptions): WorldOptions {
  const { nemesis, workload, engine } = options;
  const weights = { ...nemesis.weights, crashUnheard: 0, quorumLost: 0 };
  return { ...options, workload: { ...workload, habits: null }, nemesis: { ...nemesis, weights }, engine: { ...engine, movesWeights: false, stopsAlone: false } };
}

/** The same world without anything that follows failures but the recovery of locks; everybody hears, and nobody does with another mode. */
export function plainly(options: WorldOptions): WorldOptions {
  const before = asBefore(options);
  const { nemesis, workload } = before;
  return { ...before, aftermath: noAftermath, workload: { ...workload, deafPerMille: 0, alternativePerMille: 0 }, nemesis: { ...nemesis, weights: { ...nemesis.weights, applicationDies: 0, blackout: 0 } } };
}

/** Faults that came later are drawn apart, so that the worlds without them are as they were. */
function drawLateFaults(prng: Prng, nemesis: NemesisOptions, aftermath: AftermathOptions, nodes: number): NemesisOptions {
  const blackout = nodes > 1 && prng.chance(150) ? prng.between(1, 5) : 0;
  const applicationDies = aftermath.application !== null && prng.chance(400) ? prng.between(1, 6) : 0;
  const crashUnheard = nodes > 1 && prng.chance(250) ? prng.between(2, 10) : 0;
  const quorumLost = nodes > 1 && prng.chance(250) ? prng.between(2, 10) : 0;
  return { ...nemesis, weights: { ...nemesis.weights, applicationDies, blackout, crashUnheard, quorumLost } };
}

function drawWeights(prng: Prng, nodes: number): number[] {
  const isEven = prng.chance(600);
  return Array.from({ length: nodes }, () => (isEven ? 1 : prng.between(0, 3)));
}

/** How a node is told to join. */
export function configOf({ nodir, asInKernel }: LockspaceOptions, order: string): LockspaceConfig {
  const switches = Object.fromEntries(asInKernel.map((name) => [name, kernelLaw[name]]));
  return { ...defaultConfig, nodir, order, law: { ...defaultLaw, ...switches } };
}

/**
 * What breaks a property by itself is as in the project's law in every world;
 * docs/differences.md says what it does otherwise: a value that nobody wrote, a lock in
 * no queue that holds on to its resource, an orphan with a mode that nobody was told of,
 * a conversion that is granted twice, two that wait for each other for ever, somebody at the
 * head whom nobody looks at, a mode that is guessed and stands beside one that excludes it,
 * holders and adopters who hear nothing of those who wait.
 */
const never: readonly (keyof Law)[] = ['copiesAreKnown', 'waitingOrphanEnds', 'waitsEndFirst', 'deadlockedIsTold', 'grantLeavesConvertQueue',
  'placeIsNoDeadlock', 'arrivalIsFollowed', 'middleIsResent', 'adopterIsTold'];
const switchable = (Object.keys(kernelLaw) as (keyof Law)[]).filter((name) => !never.includes(name));

/** Mostly the project's law; at times the kernel's, or any mixture of the two. */
function drawLockspace(prng: Prng): LockspaceOptions {
  const perMille = prng.pick([0, 0, 0, 0, 0, 0, 300, 1000]);
  return { nodir: prng.chance(300), asInKernel: switchable.filter(() => prng.chance(perMille)) };
}

function drawNemesis(prng: Prng): NemesisOptions {
  const early = faultKinds.filter((kind) => !lateKinds.includes(kind));
  const weights = Object.fromEntries(early.map((kind) => [kind, prng.chance(450) ? prng.between(1, 10) : 0]));
  return {
    everyMillis: prng.pick([500, 2000, 5000, 10_000]),
    weights: weights as Record<FaultKind, number>,
    downMillis: prng.between(500, 10_000),
    troubleMillis: prng.between(300, 8000),
    zombieMillis: prng.between(10, 4000),
    healsAll: prng.chance(500),
  };
}

/** Mostly everybody hears. */
function drawDeaf(prng: Prng): number {
  return prng.chance(300) ? prng.pick([200, 1000]) : 0;
}

/** Where it is not told as such, two nodes would take a lock to be in different modes: then nobody asks for one. */
function drawAlternatives(prng: Prng, { asInKernel }: LockspaceOptions): number {
  const isAsked = prng.chance(300);
  return isAsked && !asInKernel.includes('alternativeIsTold') ? prng.pick([100, 500]) : 0;
}

function drawWorkload(prng: Prng): Omit<WorkloadOptions, 'deafPerMille' | 'alternativePerMille' | 'habits'> {
  return {
    ownersPerNode: prng.between(1, 6),
    locksPerOwner: prng.between(1, 6),
    everyMillis: prng.pick([40, 80, 150, 400]),
    hotNames: prng.between(1, 4),
    coldNames: prng.pick([5, 50, 500]),
    hotPerMille: prng.pick([100, 400, 800]),
    exclusivePerMille: prng.pick([0, 200, 600]),
    flagsPerMille: prng.pick([0, 100, 400]),
    valuePerMille: prng.pick([0, 300, 700, 1000]),
    persistentPerMille: prng.pick([0, 0, 100, 300]),
    lockspaces: prng.pick([['alpha'], ['alpha', 'beta']]),
  };
}
