/**
 * The corosync engine, as the suite for all engines opens it: hosts in namespaces with
 * real corosync, and for every story a cluster of another name on them.
 */
import type { TestContext } from 'node:test';
import type { EngineKind } from '../engine/suite.js';
import type { Hosts } from './hosts.js';

/** Nobody is called silent, nor a ring broken, because the machine is busy. */
export const patient = { tokenMillis: 1_000, timing: { heartbeatMillis: 250, stopMillis: 8_000 } };
/** Whoever is cut off is noticed in about a second, and gone in five. */
export const quick = { tokenMillis: 500, timing: { heartbeatMillis: 200, stopMillis: 3_000 } };

export function corosyncOn(hosts: Hosts, { timing } = patient): EngineKind {
  let stories = 0;
  return {
    name: 'corosync',
    losesStopped: true,
    places: { numbers: hosts.all.map(({ node }) => node), fork: (script, number) => hosts.host(number).fork(script) },
    open: (_test: TestContext) => {
      stories += 1;
      return { kind: 'corosync', options: { cluster: `c${stories}`, joinMillis: 60_000, ...timing } };
    },
  };
}
