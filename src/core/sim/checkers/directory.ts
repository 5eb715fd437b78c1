/**
 * S8: when everything is quiet, the directory has one entry for each resource that has a
 * master, which names that one, and none for a resource that nobody is master of.
 */
import type { NodeId } from '../../base/ids.js';
import type { Audit } from '../audit.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import { byLockspace, mastersIn } from './masters.js';

export class Directory implements Checker {
  readonly property = 'directory';
  readonly says = 'S8 the directory names the master of each resource, and of nothing else';
  readonly counts = { audits: 0, entries: 0, drained: 0 };

  see(event: SimEvent): void {
    if (event.kind !== 'quiet') return;
    for (const audits of byLockspace(event.audits)) if (audits.every(({ directory }) => directory !== null)) this.#judge(audits);
    if (!event.isDrained) return;
    this.counts.drained += 1;
    const kept = event.audits.find(({ entryCount }) => entryCount > 0);
    if (kept !== undefined) this.#complain(kept, '', `is empty, and the directory on node ${kept.node} still has ${kept.entryCount} entries`);
  }

  #judge(audits: readonly Audit[]): void {
    this.counts.audits += 1;
    const masters = new Map<string, NodeId>();
    for (const [name, master] of mastersIn(audits)) masters.set(name, master);
    const named = new Set<string>();
    for (const audit of audits) {
      for (const [name, master] of audit.directory!) {
        if (named.has(name)) this.#complain(audit, name, 'stands in the directory twice');
        named.add(name);
        this.counts.entries += 1;
        const real = masters.get(name);
        if (real !== master) this.#complain(audit, name, `has master ${real ?? 'nobody'}, and the directory on node ${audit.node} says ${master}`);
      }
    }
    for (const [name, master] of masters) {
      if (!named.has(name)) this.#complain(audits[0]!, name, `has master ${master}, of whom the directory knows nothing`);
    }
  }

  #complain({ lockspace }: Audit, name: string, what: string): never {
    throw new Violation(this.property, `${lockspace}/${name} ${what}`, [` ${lockspace}/${name} `]);
  }
}
