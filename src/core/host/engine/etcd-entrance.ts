/**
 * How a node becomes a member at etcd: a lease, a look at the record, and one
 * transaction that puts it in.
 *
 * The engine has it look again and again until it is in, or will not get in. It finds
 * the same place however often an attempt had an outcome that nobody heard of: whether
 * we are in is written in the record. Whoever is in the way and lives is a reason to
 * refuse; whoever is in the way and dead must be out of the record first, and is put
 * out by us if nobody else is there to do it.
 */
import { DlmError } from '../../base/errors.js';
import { EtcdRefusal, type EtcdGateway } from './etcd-gateway.js';
import { EtcdLease } from './etcd-lease.js';
import type { EtcdOptions } from './etcd-options.js';
import { goneIn, recordAfter, rollOf, type EtcdKeys, type Snapshot, type TxnAnswer } from './etcd-record.js';
import type { Applicant, Enrolled } from './roll.js';

/** gRPC's NOT_FOUND, of a lease. */
const notFound = 5;
/** How much later than at the end of its lease a key may be seen to go: etcd looks twice a second, and may be electing. */
const graceMillis = 2_000;

/** Where a member stands: its entry, its lease, and the revision at which it came. */
export interface Place {
  readonly self: Enrolled;
  readonly lease: EtcdLease;
  readonly since: number;
}

export class EtcdEntrance {
  readonly #gateway: EtcdGateway;
  readonly #keys: EtcdKeys;
  readonly #applicant: Applicant;
  readonly #ttlMillis: number;
  readonly #mustExist: boolean;
  #lease: EtcdLease | null = null;
  /** Who is in the way, and since when we have seen it there. */
  #holder: { readonly life: string; readonly since: number } | null = null;

  constructor(gateway: EtcdGateway, keys: EtcdKeys, applicant: Applicant, { ttlMillis, mustExist = false }: Pick<EtcdOptions, 'ttlMillis' | 'mustExist'>) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#applicant = applicant;
    this.#ttlMillis = ttlMillis;
    this.#mustExist = mustExist;
  }

  get lease(): EtcdLease | null {
    return this.#lease;
  }

  /** Are we in? null: not yet, look again soon. Rejects with `DlmError` if we do not get in; `EtcdRefusal`, `EtcdSilence`. */
  async look(): Promise<Place | null> {
    const lease = (this.#lease ??= await EtcdLease.grant(this.#gateway, this.#keys, this.#ttlMillis));
    let snapshot = await this.#gateway.turn((endpoint) => lease.renew(endpoint));
    for (;;) {
      const self = snapshot.record.members.find(({ life }) => life === this.#applicant.life);
      if (self !== undefined) return this.#placeOf(self, lease, snapshot);
      const hasCleared = await this.#clear(snapshot);
      if (hasCleared !== null) {
        snapshot = hasCleared;
        continue;
      }
      if (this.#mustExist && snapshot.record.members.length === 0) {
        throw new DlmError('DLM_START_REFUSED', 'the cluster has no members at etcd, and this node was to join others', 'start one of its nodes first');
      }
      if (this.#isInTheWay(snapshot, lease)) return null;
      const next = await this.#enter(snapshot, lease);
      if (next === null || 'self' in next) return next;
      snapshot = next;
    }
  }

  #placeOf(self: Enrolled, lease: EtcdLease, { living }: Snapshot): Place {
    const since = living.get(self.life);
    if (since !== undefined) return { self, lease, since };
    throw new DlmError('DLM_NO_NODE', 'the lease ran out before the node had heard that it was a member', 'etcd answers too slowly: see to it, or give a longer lease');
  }

  /** Put out who is gone; null if nobody is. */
  async #clear(snapshot: Snapshot): Promise<Snapshot | null> {
    const gone = goneIn(snapshot);
    if (gone.length === 0) return null;
    const entry = rollOf(snapshot).afterChanges({ gone: new Set(gone.map(({ life }) => life)), leaving: new Set(), announced: new Map() })!;
    const answer = await this.#txn(this.#keys.changing(snapshot, recordAfter(snapshot, entry), { gone }));
    return this.#keys.snapshotIn(answer.succeeded === true ? await this.#txn(this.#keys.reading) : answer);
  }

  /** Does somebody have our number or name? Not for long, if it is dead. Throws `DLM_NODE_EXISTS` when it is known to live. */
  #isInTheWay(snapshot: Snapshot, lease: EtcdLease): boolean {
    const holder = rollOf(snapshot).holderOf(this.#applicant);
    if (holder === null) return false;
    const now = performance.now();
    if (this.#holder?.life !== holder.life) this.#holder = { life: holder.life, since: now };
    // Every member of a cluster should have the same length of lease; if it has not, we may think it alive that is not.
    if (now - this.#holder.since <= lease.timing.regrantMillis + graceMillis) return true;
    const what = holder.node === this.#applicant.node ? `the number ${holder.node}` : `the name ${holder.name}`;
    throw new DlmError(
      'DLM_NODE_EXISTS',
      `${what} is taken: node ${holder.node} (${holder.name}) is a member, and has kept its lease at etcd alive meanwhile`,
      'choose another, or leave it out to be given a free number',
    );
  }

  /** We are in; or there is this instead of what we had read; or null: begin again. */
  async #enter(snapshot: Snapshot, lease: EtcdLease): Promise<Place | Snapshot | null> {
    const roll = rollOf(snapshot);
    const self = roll.enrolled(this.#applicant);
    // Numbers rise also when etcd was set up anew: they follow the clock.
    const entry = roll.afterEntering([self], Date.now());
    try {
      const answer = await this.#txn(this.#keys.entering(snapshot, recordAfter(snapshot, entry), self, lease.id));
      if (answer.succeeded !== true) return this.#keys.snapshotIn(answer);
      return { self, lease, since: Number(answer.header?.revision ?? 0) };
    } catch (error) {
      if (!(error instanceof EtcdRefusal) || error.status !== notFound) throw error;
      this.#lease = null;
      return null;
    }
  }

  #txn(txn: object): Promise<TxnAnswer> {
    return this.#gateway.call<TxnAnswer>('/v3/kv/txn', txn);
  }
}
