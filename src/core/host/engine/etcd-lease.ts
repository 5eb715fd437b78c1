/**
 * Our lease at etcd: as long as it is kept alive we are a member, and until when we
 * may count on it.
 *
 * Two clocks run from every renewal. etcd's begins when its leader hears of it, and
 * ends with our key; ours begins before we ask, and ends earlier:
 *
 *     we ask        leader hears                      we stop             others may go on
 *       ├──────────────┼────────────────────────────────┤                       ┊
 *       ╰── stopMillis ─────────────────────────────────╯                       ┊
 *                      ╰── the lease (regrantMillis) ───────────────────────────╯
 *
 * A renewal counts only when a read that a majority of etcd stands behind has come
 * after it, in the same term and through the same member of etcd. For a leader that
 * has been deposed and does not know it yet, because it was paused or cut off, renews
 * leases that its successor lets run out.
 *
 * The engine asks it; it never says who is a member.
 */
import type { Answer, EtcdGateway, Endpoint } from './etcd-gateway.js';
import type { EtcdKeys, Snapshot, TxnAnswer } from './etcd-record.js';
import { after, hasCome, present, type Moment } from './moment.js';

/** What follows from the length of a lease, in milliseconds. */
export interface LeaseTiming {
  /** From the last good renewal on, this long a member may act. */
  readonly stopMillis: number;
  /** And not before this long is it missing from a view. */
  readonly regrantMillis: number;
  /** Between two renewals. */
  readonly beatMillis: number;
  /** After one that did not count. */
  readonly retryMillis: number;
  /** How long one member of etcd may take for an answer before another is asked. */
  readonly requestMillis: number;
}

const requestMillisMin = 300;
const requestMillisMax = 2_000;

/**
 * A third of the lease is left to stop what must be stopped: programs under locks are given their time to end
 * out of it, and what two clocks differ by.
 */
export function leaseTiming(ttlMillis: number): LeaseTiming {
  return {
    stopMillis: Math.floor((ttlMillis * 2) / 3),
    regrantMillis: ttlMillis,
    beatMillis: Math.floor(ttlMillis / 6),
    retryMillis: Math.floor(ttlMillis / 48),
    requestMillis: Math.min(Math.max(Math.floor(ttlMillis / 10), requestMillisMin), requestMillisMax),
  };
}

/** The shortest lease, in whole seconds as etcd counts, that leaves more than this time between `stopMillis` and `regrantMillis`. */
export function leastTtlMillis(stoppingMillis: number): number {
  for (let ttlMillis = 1_000; ; ttlMillis += 1_000) {
    const { stopMillis, regrantMillis } = leaseTiming(ttlMillis);
    if (stopMillis + stoppingMillis < regrantMillis) return ttlMillis;
  }
}

export class EtcdLease {
  readonly id: string;
  readonly timing: LeaseTiming;
  #until: Moment;
  /** Where we read last, and the term there. */
  #read: { readonly endpoint: Endpoint; readonly term: string } | null = null;
  readonly #keys: EtcdKeys;

  /**
   * A new one. etcd may give one that lasts longer than we ask for. Rejects with `EtcdRefusal` or `EtcdSilence`; one that was given
   * and not heard of runs out by itself.
   */
  static async grant(gateway: EtcdGateway, keys: EtcdKeys, ttlMillis: number): Promise<EtcdLease> {
    return gateway.turn(async (endpoint) => {
      const asked = present();
      const { ID: id, TTL: seconds } = await endpoint.call<Answer & { ID: string; TTL: string }>('/v3/lease/grant', { TTL: String(Math.ceil(ttlMillis / 1_000)) });
      return new EtcdLease(keys, id, leaseTiming(Number(seconds) * 1_000), asked);
    });
  }

  private constructor(keys: EtcdKeys, id: string, timing: LeaseTiming, asked: Moment) {
    this.#keys = keys;
    this.id = id;
    this.timing = timing;
    this.#until = after(asked, timing.stopMillis);
  }

  /** On `performance.now()`: from then on we must not count on it. */
  get until(): number {
    return this.#until.at;
  }

  /** Has that moment come, on either clock? */
  hasEnded(now: Moment = present()): boolean {
    return hasCome(this.#until, now);
  }

  /**
   * Renew it, and read what there is. Whether we are still a member is in what was read. `until` is later
   * afterwards if the renewal counts. Rejects as `Endpoint.call`.
   */
  async renew(endpoint: Endpoint): Promise<Snapshot> {
    const known = this.#read?.endpoint === endpoint ? this.#read : null;
    const before = known?.term ?? (await this.#snapshot(endpoint)).term;
    const asked = present();
    const { result } = await endpoint.call<Answer & { result?: { TTL?: string } }>('/v3/lease/keepalive', { ID: this.id });
    const snapshot = await this.#snapshot(endpoint);
    this.#read = { endpoint, term: snapshot.term };
    // No time left: etcd does not know the lease.
    if (Number(result?.TTL ?? 0) > 0 && snapshot.term === before) this.#until = after(asked, this.timing.stopMillis);
    return snapshot;
  }

  /** We do not use it any more. If etcd does not hear of it, it runs out by itself. */
  async giveUp(gateway: EtcdGateway): Promise<void> {
    await gateway.call('/v3/lease/revoke', { ID: this.id }).catch(() => undefined);
  }

  async #snapshot(endpoint: Endpoint): Promise<Snapshot> {
    return this.#keys.snapshotIn(await endpoint.call<TxnAnswer>('/v3/kv/txn', this.#keys.reading));
  }
}
