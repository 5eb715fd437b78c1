/**
 * The local engine, as the suite for all engines opens it: a cluster in a folder of
 * its own.
 */
import type { TestContext } from 'node:test';
import { clusterPlaces, type ClusterPlaces } from '../../src/core/host/engine/cluster-places.js';
import { noteIn } from '../../src/core/host/kernel-lock.js';
import { scratch } from '../host/scratch.js';
import type { EngineKind } from './suite.js';
import type { Actor } from './cast.js';

export const local: EngineKind = {
  name: 'local',
  open: (test) => ({ kind: 'local', options: { cluster: 'c', base: scratch(test), joinMillis: 60_000 } }),
};

/** A cluster, and where it keeps its things. */
export function localAt(test: TestContext, joinMillis = 60_000): { kind: EngineKind; places: ClusterPlaces } {
  const base = scratch(test);
  return {
    kind: { name: 'local', open: () => ({ kind: 'local', options: { cluster: 'c', base, joinMillis } }) },
    places: clusterPlaces('c', base),
  };
}

/** Which of them is the registrar? */
export function registrarOf(places: ClusterPlaces, actors: readonly Actor[]): Actor {
  const pid = Number(noteIn(places.lock));
  return actors.find(({ stage }) => stage.pid === pid)!;
}
