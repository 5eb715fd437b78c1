/**
 * Run one world and report: what was drawn, what happened, what was at stake, and
 * whether every property held.
 */
import { AssertionFailed } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import { DlmNode } from '../node/node.js';
import { auditNodes } from './audit-nodes.js';
import { Violation } from './checkers/checker.js';
import type { NetworkCounts } from './network.js';
import type { LinkCounts } from './link.js';
import type { FaultKind } from './options.js';
import { drawOptions, type WorldOptions } from './options.js';
import { World, type Breed } from './world.js';

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  /** How long things may go wrong, in simulated minutes. */
  readonly minutes: number;
}

export interface Failure {
  /** Which property; `assertion` if a node was wrong about itself, `error` for anything else. */
  readonly property: string;
  readonly message: string;
  readonly atMillis: number;
  /** Where in the program it was noticed, if it was an error there. */
  readonly where: string | null;
  /** The lines of the trace that concern it, the latest last. */
  readonly story: readonly string[];
  /** The last lines of the trace. */
  readonly tail: readonly string[];
}

export interface Report {
  readonly seed: number;
  readonly options: WorldOptions;
  readonly fingerprint: string;
  readonly simulatedMillis: number;
  readonly steps: number;
  readonly views: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly network: Readonly<NetworkCounts>;
  readonly link: Readonly<LinkCounts>;
  readonly calls: Readonly<Record<string, number>>;
  /** How often each property was at stake. */
  readonly stakes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly failure: Failure | null;
}

const storyLines = 60;
const tailLines = 40;

/** Nodes as they really are. Several of them need an engine; one needs none. */
export function realBreed(nodes: number): Breed {
  const living = new Map<NodeId, DlmNode>();
  return {
    hasEngine: nodes > 1,
    bear: (birth) => {
      const node = new DlmNode(birth);
      living.set(birth.self, node);
      return {
        step: (now, input) => node.step(now, input),
        nextDeadline: () => node.nextDeadline(),
        nameOf: (id) => node.lockspaceNames().find((name) => node.stack(name)!.lockspace.tables.id === id) ?? null,
        isQueued: (lockspace, lkid) => {
          const place = node.stack(lockspace)?.lockspace.locks.get(lkid)?.place;
          return place === 'waiting' || place === 'converting';
        },
        modeOf: (lockspace, lkid) => {
          const lock = node.stack(lockspace)?.lockspace.locks.get(lkid) ?? null;
          const isEnding = lock?.far?.pending === 'unlock' || lock?.far?.overlap?.operation === 'unlock';
          if (lock === null || isEnding) return null;
          // What counts as done for its owner he has.
          return node.stack(lockspace)!.lockspace.isToldEarly(lkid) ? lock.requested : lock.granted;
        },
      };
    },
    auditAll: (machines, lockspaces) =>
      lockspaces.flatMap((lockspace) => auditNodes(machines.map(({ id, life }) => ({ id, life, node: living.get(id)! })), lockspace)),
  };
}

/** The world of a seed, from its beginning to its end. */
export function runWorld({ seed, nodes, minutes }: RunOptions, breed: Breed = realBreed(nodes)): Report {
  return runWith(drawOptions(seed, nodes, Math.round(minutes * 60_000)), breed);
}

/** A world with options of one's own. */
export function runWith(options: WorldOptions, breed: Breed): Report {
  const world = new World(options, breed);
  let failure: Failure | null = null;
  try {
    world.run();
  } catch (thrown) {
    failure = failureOf(thrown, world);
  }
  return {
    seed: options.seed,
    options,
    fingerprint: world.trace.fingerprint,
    simulatedMillis: world.agenda.now,
    steps: world.stepCount,
    views: world.viewCount,
    faults: world.nemesis.counts,
    network: world.network.counts,
    link: world.linkCounts,
    calls: world.workload.counts,
    stakes: world.panel.counts(),
    failure,
  };
}

function failureOf(thrown: unknown, world: World): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const isViolation = error instanceof Violation;
  // A message names its resource without the lockspace.
  const words = isViolation ? error.words.flatMap((word) => (word.includes('/') ? [word, ` ${word.slice(word.indexOf('/'))}`] : [word])) : [];
  return {
    property: isViolation ? error.property : error instanceof AssertionFailed ? 'assertion' : 'error',
    message: error.message,
    atMillis: world.agenda.now,
    where: isViolation ? null : (error.stack?.split('\n').slice(1, 6).map((line) => line.trim()).join(' ') ?? null),
    story: words.length === 0 ? [] : world.trace.tail(storyLines, words),
    tail: world.trace.tail(tailLines),
  };
}
