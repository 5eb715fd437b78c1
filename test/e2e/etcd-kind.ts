/**
 * The etcd engine, as the suite for all engines opens it: a cluster of its own at
 * servers that several tests share.
 */
import { randomUUID } from 'node:crypto';
import type { EngineKind } from '../engine/suite.js';
import type { EtcdOptions } from '../../src/core/host/engine/etcd-options.js';

/** Long enough for a machine that is busy; a death is seen after it. */
export const ttlMillis = 4_000;

export function etcdAt(endpoints: readonly string[], more: Partial<EtcdOptions> = {}): EngineKind {
  return {
    name: 'etcd',
    // Its lease runs out.
    losesStopped: true,
    open: () => ({ kind: 'etcd', options: { endpoints, cluster: `c-${randomUUID().slice(0, 8)}`, ttlMillis, joinMillis: 60_000, ...more } }),
  };
}
