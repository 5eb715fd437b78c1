/**
 * S7: when everything is quiet, each resource has one master, and all its holders know who
 * that is.
 */
import type { NodeId } from '../../base/ids.js';
import type { Audit } from '../audit.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Masters implements Checker {
  readonly property = 'masters';
  readonly says = 'S7 one master a resource, and its holders know it';
  readonly counts = { audits: 0, resources: 0, remote: 0 };

  see(event: SimEvent): void {
    if (event.kind === 'quiet') for (const audits of byLockspace(event.audits)) this.#judge(audits);
  }

  #judge(audits: readonly Audit[]): void {
    this.counts.audits += 1;
    const masters = new Map<string, NodeId>();
    for (const [name, master, { lockspace }] of mastersIn(audits)) {
      const other = masters.get(name);
      if (other !== undefined) this.#complain(lockspace, name, `has two masters, ${other} and ${master}`);
      masters.set(name, master);
      this.counts.resources += 1;
    }
    for (const { lockspace, node, resources } of audits) {
      for (const { name, master } of resources) if (master !== node) this.#judgeHolder(lockspace, name, node, master, masters.get(name));
    }
  }

  #judgeHolder(lockspace: string, name: string, node: NodeId, believed: NodeId | null, master: NodeId | undefined): void {
    this.counts.remote += 1;
    if (master !== believed) this.#complain(lockspace, name, `has master ${master ?? 'nobody'}, and node ${node} believes it is ${believed ?? 'nobody'}`);
  }

  #complain(lockspace: string, name: string, what: string): never {
    throw new Violation(this.property, `${lockspace}/${name} ${what}`, [` ${lockspace}/${name} `]);
  }
}

/** Each resource of which a node takes itself for the master. */
export function* mastersIn(audits: readonly Audit[]): Generator<readonly [name: string, master: NodeId, audit: Audit]> {
  for (const audit of audits) {
    for (const { name, master } of audit.resources) if (master === audit.node) yield [name, master, audit];
  }
}

/** The audits of each lockspace, together. */
export function byLockspace(audits: readonly Audit[]): Iterable<Audit[]> {
  const groups = new Map<string, Audit[]>();
  for (const audit of audits) {
    const group = groups.get(audit.lockspace);
    if (group === undefined) groups.set(audit.lockspace, [audit]);
    else group.push(audit);
  }
  return groups.values();
}
