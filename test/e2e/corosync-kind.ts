/**
 * The corosync engine, as the suite for all engines opens it: hosts in namespaces with
 * real corosync, and for every story a cluster of another name on them.
 */
import type { TestContext } from 'node:test';
import type { EngineKind } from '../engine/suite.js';
import type { Hosts } from './hosts.js';

/** Quick, for a ring that notices a loss in 0.44 s. */
export const timing = { heartbeatMillis: 100, stopMillis: 2_000 };

/** `hosts`: asked for when a story begins. */
export function corosyncOn(hosts: () => Hosts, numbers: readonly number[]): EngineKind {
  let stories = 0;
  return {
    name: 'corosync',
    losesStopped: true,
    places: { numbers, fork: (script, number) => hosts().host(number).fork(script) },
    open: (_test: TestContext) => {
      stories += 1;
      return { kind: 'corosync', options: { cluster: `c${stories}`, joinMillis: 60_000, ...timing } };
    },
  };
}
