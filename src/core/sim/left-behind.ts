/**
 * What owners of a machine have left behind: in which mode it is when they end, and
 * whether another node has had it purged.
 *
 * Nobody here is told of either, so that the world looks, after the turn and before
 * anybody hears what came of it. The machine asks; the checkers judge.
 */
import type { OwnerId } from '../base/ids.js';
import type { Purge } from '../wire/message.js';
import type { SimNode } from './birth.js';
import type { Machine } from './machine.js';

export class LeftBehind {
  /** What others want purged here; it may have to wait until locking goes on. Null: the orphans of all. */
  #purges: { readonly lockspace: string; readonly formerOwner: OwnerId | null }[] = [];

  constructor(readonly machine: Machine) {}

  get isExpecting(): boolean {
    return this.#purges.length > 0;
  }

  forget(): void {
    this.#purges = [];
  }

  expect(node: SimNode, { lockspace, formerOwner }: Purge): void {
    const name = node.nameOf(lockspace);
    if (name !== null) this.#purges.push({ lockspace: name, formerOwner });
  }

  /** Have the orphans ended that somebody wants purged? */
  look(node: SimNode): void {
    const { machine } = this;
    this.#purges = this.#purges.filter(({ lockspace, formerOwner }) => {
      const orphans = [...machine.tickets].filter((one) => one.isOrphan && one.lockspace === lockspace && (formerOwner === null || one.owner === formerOwner));
      const ended = orphans.filter(({ lkid }) => lkid !== null && node.modeOf(lockspace, lkid) === null);
      if (ended.length === 0) return orphans.length > 0;
      machine.port.emit({ kind: 'abandoned', at: machine.port.agenda.now, life: machine.life, why: 'purged', orphans: [], ended: ended.map(({ id }) => id) });
      for (const ticket of ended) machine.forget(ticket);
      // One that was about to end anyway says nothing about the others, whose purge may still have to wait.
      return ended.length < orphans.length;
    });
  }

  /** An owner has ended, just now. */
  lookAt(node: SimNode, owner: OwnerId): void {
    const { life, port, tickets } = this.machine;
    for (const { id, lockspace, lkid, isOrphan, owner: former } of tickets) {
      const mode = isOrphan && former === owner && lkid !== null ? node.modeOf(lockspace, lkid) : null;
      if (mode !== null) port.show({ kind: 'leftBehind', at: port.agenda.now, life, claim: id, mode });
    }
  }
}
