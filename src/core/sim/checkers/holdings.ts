/**
 * S9: when everything is quiet, each lock has one home: its owner, its node
 * and its master agree in which mode it is held and what it waits for.
 */
import type { NodeId } from '../../base/ids.js';
import { IV, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Audit, LockAudit } from '../audit.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import { byLockspace } from './masters.js';

export class Holdings implements Checker {
  readonly property = 'holdings';
  readonly says = 'S9 holder and master agree on every lock';
  readonly counts = { locks: 0, remote: 0, waiting: 0 };

  see(event: SimEvent): void {
    if (event.kind !== 'quiet') return;
    for (const audits of byLockspace(event.audits)) this.#judge(audits);
  }

  #judge(audits: readonly Audit[]): void {
    const onMaster = new Map<string, LockAudit>();
    for (const { mastered } of audits) {
      for (const lock of mastered) {
        const home = homeOf(lock.holder, lock.holderLkid);
        if (onMaster.has(home)) this.#complain(audits[0]!, lock, 'stands in two queues');
        onMaster.set(home, lock);
      }
    }
    for (const audit of audits) for (const lock of audit.own) this.#judgeLock(audit, lock, onMaster);
    const [left] = onMaster.values();
    if (left !== undefined) this.#complain(audits[0]!, left, `is on its master alone, holding ${show(left.granted, left.requested)}`);
  }

  #judgeLock(audit: Audit, lock: LockAudit, onMaster: Map<string, LockAudit>): void {
    const home = homeOf(audit.node, lock.lkid);
    const copy = onMaster.get(home);
    this.counts.locks += 1;
    if (lock.requested !== IV) this.counts.waiting += 1;
    if (copy === undefined) this.#complain(audit, lock, 'is known to no master');
    onMaster.delete(home);
    if (copy.lkid !== lock.lkid) this.counts.remote += 1;
    if (copy.granted !== lock.granted || copy.requested !== lock.requested) {
      this.#complain(audit, lock, `is ${show(lock.granted, lock.requested)} on its node and ${show(copy.granted, copy.requested)} on its master`);
    }
  }

  #complain({ lockspace }: Audit, lock: LockAudit, what: string): never {
    throw new Violation(this.property, `lock ${lock.holderLkid} of node ${lock.holder} on ${lockspace}/${lock.resource} ${what}`, [
      ` ${lockspace}/${lock.resource} `,
    ]);
  }
}

const homeOf = (node: NodeId, lkid: number): string => `${node}:${lkid}`;

function show(granted: ModeOrNone, requested: ModeOrNone): string {
  return requested === IV ? nameOfMode(granted) : `${nameOfMode(granted)} -> ${nameOfMode(requested)}`;
}
