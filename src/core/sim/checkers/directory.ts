/**
 * S7, S8: when everything is quiet, each resource has one master, all its holders
 * know who that is, and the directory says the same; it has no entry for a resource
 * that nobody is master of.
 */
import type { NodeId } from '../../base/ids.js';
import type { Audit } from '../audit.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Directory implements Checker {
  readonly property = 'directory';
  readonly says = 'S7 S8 one master a resource, and the directory agrees';
  readonly counts = { audits: 0, resources: 0, entries: 0, remote: 0 };

  see(event: SimEvent): void {
    if (event.kind !== 'quiet') return;
    for (const audits of byLockspace(event.audits)) this.#judge(audits);
    const kept = event.isDrained ? event.audits.find(({ entryCount }) => entryCount > 0) : undefined;
    if (kept !== undefined) this.#complain(kept, '', `is empty, and the directory on node ${kept.node} still has ${kept.entryCount} entries`);
  }

  #judge(audits: readonly Audit[]): void {
    this.counts.audits += 1;
    const masters = new Map<string, NodeId>();
    for (const audit of audits) {
      for (const { name, master } of audit.resources) if (master === audit.node) this.#addMaster(masters, name, audit);
    }
    for (const audit of audits) {
      for (const { name, master } of audit.resources) this.#judgeHolder(audit, name, master, masters.get(name));
    }
    if (audits.every(({ directory }) => directory !== null)) this.#judgeDirectory(audits, masters);
  }

  #addMaster(masters: Map<string, NodeId>, name: string, audit: Audit): void {
    const other = masters.get(name);
    if (other !== undefined) this.#complain(audit, name, `has two masters, ${other} and ${audit.node}`);
    masters.set(name, audit.node);
    this.counts.resources += 1;
  }

  #judgeHolder(audit: Audit, name: string, believed: NodeId | null, master: NodeId | undefined): void {
    if (believed === audit.node) return;
    this.counts.remote += 1;
    if (master !== believed) this.#complain(audit, name, `has master ${master ?? 'nobody'}, and node ${audit.node} believes it is ${believed ?? 'nobody'}`);
  }

  #judgeDirectory(audits: readonly Audit[], masters: ReadonlyMap<string, NodeId>): void {
    const entries = new Map<string, NodeId>();
    for (const audit of audits) {
      for (const [name, master] of audit.directory!) {
        if (entries.has(name)) this.#complain(audit, name, 'stands in the directory twice');
        entries.set(name, master);
        this.counts.entries += 1;
        if (masters.get(name) !== master) {
          this.#complain(audit, name, `has master ${masters.get(name) ?? 'nobody'}, and the directory on node ${audit.node} says ${master}`);
        }
      }
    }
    for (const [name, master] of masters) {
      if (!entries.has(name)) this.#complain(audits[0]!, name, `has master ${master}, of whom the directory knows nothing`);
    }
  }

  #complain({ lockspace }: Audit, name: string, what: string): never {
    throw new Violation(this.property, `${lockspace}/${name} ${what}`, [` ${lockspace}/${name} `]);
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
