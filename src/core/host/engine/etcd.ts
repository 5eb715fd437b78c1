/**
 * The etcd engine: nodes of several machines are a cluster by what is written at an
 * etcd, which they share with nothing but a prefix.
 *
 *     enter ──▶ in ──▶ renew the lease, follow the record, tend it ──▶ leave
 *                 ╰──▶ lost: past the deadline, or the record is without us
 *
 * There is nobody who makes the views. The record of the present view stands at etcd
 * (etcd-record.ts), and whoever has something to add, that it comes, leaves, is in
 * other lockspaces, or that a lease has run out, writes the next one. All follow the
 * history of the record.
 *
 * A member that etcd does not answer in time is past its deadline and out for good: it
 * is given no view of its own making, since nobody else would get the same. It lets
 * its lease run out and does not give it up, for what it must stop takes time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError } from '../../base/errors.js';
import { nodeId, type Incarnation, type NodeId } from '../../base/ids.js';
import { Answer } from './answer.js';
import type { Candidate, Engine, Follower, StopBudget } from './engine.js';
import { EtcdEntrance, type Place } from './etcd-entrance.js';
import { EtcdGateway, EtcdSilence } from './etcd-gateway.js';
import { leaseTiming } from './etcd-lease.js';
import { applicantOf, checkOptions, joinMillisOf, operatorsError, prefixDefault, roomFor, type EtcdOptions } from './etcd-options.js';
import { EtcdKeys, goneIn, ranOut, recordAfter, rollOf, type EtcdRecord, type KeyEvent, type Snapshot, type TxnAnswer } from './etcd-record.js';
import { EtcdWatch } from './etcd-watch.js';
import { sameLockspaces, viewOf, type Enrolled, type Entry } from './roll.js';

/** How often somebody who waits to be let in looks. */
const lookMillis = 200;
const leaveMillis = 10_000;
/** Members do not all write the same at the same time: each waits so long for those below it, and no longer than that. */
const yieldMillis = 15;
const yieldMillisMax = 300;
/** Views kept for a host that does not follow yet. */
const heldMax = 4_096;

/** Throws `DLM_NAME_INVALID`, `DLM_USAGE`, `DLM_NOT_PERMITTED`. */
export function etcdEngine(options: EtcdOptions): Engine {
  checkOptions(options);
  const gateway = new EtcdGateway(options, leaseTiming(options.ttlMillis).requestMillis);
  return new EtcdEngine(gateway, new EtcdKeys(options.prefix ?? prefixDefault, options.cluster), options);
}

class EtcdEngine implements Engine {
  readonly #gateway: EtcdGateway;
  readonly #keys: EtcdKeys;
  readonly #options: EtcdOptions;
  #state: 'new' | 'joining' | 'in' | 'leaving' | 'out' = 'new';
  #place: Place | null = null;
  #watch: EtcdWatch | null = null;
  /** The last view that was given out, and the revision at which it was written. */
  #last: { readonly record: EtcdRecord; readonly written: number } | null = null;
  #lockspaces: Enrolled['lockspaces'] = [];
  #follower: Follower | null = null;
  #held: Entry[] = [];
  #lostFor: string | null = null;
  readonly #joined = new Answer<NodeId>();
  readonly #left = new Answer<void>();
  #timer: NodeJS.Timeout | null = null;
  #isTending = false;
  #isToTend = false;
  /** The record was newer than what the watch had told, at the last renewal too. */
  #isBehind = false;
  #trouble = '';
  /** Of each node the last life whose lease has run out. */
  readonly #ranOut = new Map<number, number>();
  /** What was said of it since the last view. */
  readonly #told = new Set<string>();

  constructor(gateway: EtcdGateway, keys: EtcdKeys, options: EtcdOptions) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#options = options;
    // Whoever waits for them hears of a failure; if nobody does, it is no news.
    this.#joined.promise.catch(() => undefined);
    this.#left.promise.catch(() => undefined);
  }

  async join(candidate: Candidate): Promise<NodeId> {
    if (this.#state !== 'new') throw new DlmError('DLM_INTERNAL', 'an engine joins once');
    this.#state = 'joining';
    const timer = setTimeout(() => this.#refuse(this.#noAnswer()), joinMillisOf(this.#options));
    let entrance: EtcdEntrance | null = null;
    try {
      entrance = new EtcdEntrance(this.#gateway, this.#keys, applicantOf(candidate, this.#lockspaces), this.#options);
      void this.#enter(entrance);
      return await this.#joined.promise;
    } catch (error) {
      this.#state = 'out';
      await entrance?.lease?.giveUp(this.#gateway);
      this.#end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get budget(): StopBudget {
    const { stopMillis, regrantMillis } = this.#place?.lease.timing ?? leaseTiming(this.#options.ttlMillis);
    return { stopMillis, regrantMillis };
  }

  follow(follower: Follower): void {
    this.#follower = follower;
    follower.deadline(this.#place!.lease.until);
    if (this.#lostFor === null) this.#giveOut();
    else follower.lost(this.#lostFor);
  }

  announce(lockspaces: ReadonlyMap<string, number>): void {
    const others = this.#last?.record.members.filter(({ life }) => life !== this.#place?.self.life) ?? [];
    this.#lockspaces = roomFor(lockspaces, others);
    this.#tend();
  }

  async leave(): Promise<void> {
    if (this.#state === 'joining') return this.#refuse(new DlmError('DLM_CANCELLED', 'the node was to leave before it had joined'));
    if (this.#state !== 'in') return this.#end();
    this.#state = 'leaving';
    this.#tend();
    const timer = setTimeout(() => this.#left.reject(this.#noAnswer()), leaveMillis);
    try {
      await this.#left.promise;
      await this.#place!.lease.giveUp(this.#gateway);
    } finally {
      clearTimeout(timer);
      this.#end();
    }
  }

  async expel(node: NodeId, reason: string): Promise<void> {
    if (this.#state !== 'in') throw new DlmError('DLM_NOT_QUORATE', 'this node is no member, and cannot say who is');
    if (node === this.#place!.self.node) throw new DlmError('DLM_USAGE', 'a node does not declare itself failed', 'leave, or end the process');
    const end = performance.now() + leaveMillis;
    for (;;) {
      try {
        if (await this.#hasExpelled(node, reason)) return;
      } catch (error) {
        if (!(error instanceof EtcdSilence)) throw operatorsError(error);
        this.trouble(error.message);
      }
      if (performance.now() > end) throw this.#noAnswer();
      await pause(lookMillis);
    }
  }

  hasRunOut(node: NodeId, life: Incarnation): boolean {
    return this.#ranOut.get(node) === life;
  }

  /** From the watch. */
  event(event: KeyEvent): void {
    if (this.#isOver) return;
    if (!this.#keys.isRecord(event)) return event.type === 'DELETE' ? this.#tendSoon() : undefined;
    if (event.type === 'DELETE') return this.#lose('the record of the cluster was removed from etcd');
    try {
      this.#take(this.#keys.recordIn(event.kv), Number(event.kv.mod_revision ?? 0));
    } catch (error) {
      if (!(error instanceof DlmError)) throw error;
      this.#lose(error.message);
    }
  }

  /** From the watch: etcd has forgotten what we have not heard. Was a view among it? */
  async compacted(): Promise<number> {
    const snapshot = await this.#read();
    const { record, written, revision } = snapshot;
    if (!this.#isOver && written !== this.#last?.written) this.#take(record, written);
    this.#tend();
    return revision;
  }

  /** From the watch too: said once, and why if it ends us. */
  trouble(words: string, then = ''): void {
    if (!this.#told.has(words) && !this.#isOver) this.#log(`etcd: ${words}${then}`);
    this.#told.add(words);
    this.#trouble = words;
  }

  get #isOver(): boolean {
    return this.#state === 'out';
  }

  async #enter(entrance: EtcdEntrance): Promise<void> {
    while (this.#state === 'joining' && this.#place === null) {
      try {
        this.#place = await entrance.look();
      } catch (error) {
        if (!(error instanceof EtcdSilence)) return this.#refuse(operatorsError(error));
        this.trouble(error.message, '; trying again');
      }
      if (this.#place === null) await pause(lookMillis);
    }
    if (this.#state !== 'joining' || this.#place === null) return;
    this.#watch = new EtcdWatch(this.#gateway, this.#keys, this.#place.since - 1, this);
    this.#keepTime();
    void this.#keepLease();
  }

  /** Look whether the deadline has passed: when it may have, and soon after a machine goes on that was suspended. */
  #keepTime(): void {
    if (this.#isOver || this.#isPast()) return;
    const { until, timing } = this.#place!.lease;
    const wait = Math.min(until - performance.now(), timing.retryMillis);
    this.#timer = setTimeout(() => this.#keepTime(), Math.max(1, Math.ceil(wait))).unref();
  }

  #isPast(): boolean {
    const { lease } = this.#place!;
    if (!lease.hasEnded()) return false;
    this.#lose(`etcd has not renewed our lease for ${lease.timing.stopMillis} ms${this.#trouble === '' ? '' : `: ${this.#trouble}`}`);
    return true;
  }

  async #keepLease(): Promise<void> {
    const { lease } = this.#place!;
    while (!this.#isOver) {
      const { until } = lease;
      const given = this.#given;
      try {
        this.#see(await this.#gateway.turn((endpoint) => lease.renew(endpoint)), given);
      } catch (error) {
        // If it stays so the deadline passes, and that is the answer.
        this.trouble((error as Error).message);
      }
      if (this.#isOver) return;
      const hasRenewed = lease.until > until;
      if (hasRenewed) this.#follower?.deadline(lease.until);
      await pause(hasRenewed ? lease.timing.beatMillis : lease.timing.retryMillis, undefined, { ref: false });
    }
  }

  /** The revision at which the last view was written that we gave out. */
  get #given(): number {
    return this.#last?.written ?? this.#place!.since - 1;
  }

  /**
   * What there is, at a renewal: are we still in it, does the watch tell all of it, and is there something to write?
   * `given`: what we had given out when we asked; the watch may have told more since.
   */
  #see(snapshot: Snapshot, given: number): void {
    const { written, revision, record, living } = snapshot;
    if (this.#isOver || this.#isPast()) return;
    this.#trouble = '';
    this.#watch?.keepUp();
    if (written < given) return this.#lose('etcd has gone back to an earlier state');
    if (written === this.#given) this.#watch?.knows(revision);
    const isBehind = written > this.#given;
    if (isBehind && this.#isBehind) this.#watch?.reopen();
    this.#isBehind = isBehind;
    const { life } = this.#place!.self;
    if (!record.members.some((one) => one.life === life)) return this.#without(record);
    if (!living.has(life)) return this.#lose('our lease at etcd has run out');
    if (this.#next(snapshot) !== null) this.#tend();
  }

  #take(record: EtcdRecord, written: number): void {
    const { life } = this.#place!.self;
    if (written <= this.#given) return;
    // What has waited for a process that was stopped is no news of a cluster that it is in.
    if (this.#isOver || this.#isPast()) return;
    if (this.#last !== null && record.previous !== this.#last.record.id) return this.#lose(`view ${record.id} follows one that this node was not given`);
    if (!record.members.some((one) => one.life === life)) return this.#without(record);
    if (this.#last === null && written !== this.#place!.since) return this.#lose('the first view with this node is no longer kept at etcd');
    for (const gone of ranOut(this.#last?.record ?? null, record)) this.#ranOut.set(gone.node, gone.incarnation);
    this.#last = { record, written };
    this.#told.clear();
    if (this.#state === 'leaving') return;
    if (record.expelled !== undefined) this.#log(`node ${record.expelled.node} was declared failed: ${record.expelled.reason}`);
    if (this.#state === 'joining') {
      this.#state = 'in';
      this.#joined.resolve(nodeId(this.#place!.self.node));
    }
    this.#held.push(record);
    // In a turn of its own: what goes wrong at the host is no trouble with etcd.
    queueMicrotask(() => this.#giveOut());
  }

  #giveOut(): void {
    if (this.#held.length > heldMax) throw new DlmError('DLM_INTERNAL', 'nobody follows the views of the engine');
    while (this.#follower !== null && this.#state === 'in' && this.#held.length > 0) this.#follower.view(viewOf(this.#held.shift()!));
  }

  /** This is a view without us. */
  #without({ id, expelled }: EtcdRecord): void {
    if (this.#state === 'leaving') return this.#left.resolve();
    const isDeclared = expelled?.node === this.#place!.self.node;
    this.#lose(isDeclared ? `this node was declared failed: ${expelled.reason}` : `view ${id} is without this node: its lease at etcd ran out`);
  }

  /** The next view, as far as it is ours to write; null if the present one says everything. */
  #next(snapshot: Snapshot): { entry: Entry; gone: Enrolled[] } | null {
    const { life } = this.#place!.self;
    const gone = goneIn(snapshot).filter((one) => one.life !== life);
    const present = snapshot.record.members.find((one) => one.life === life);
    const isNews = present !== undefined && !sameLockspaces(present.lockspaces, this.#lockspaces);
    const entry = rollOf(snapshot).afterChanges({
      gone: new Set(gone.map((one) => one.life)),
      leaving: new Set(this.#state === 'leaving' ? [life] : []),
      announced: isNews ? new Map([[life, this.#lockspaces]]) : new Map(),
    });
    return entry === null ? null : { entry, gone };
  }

  /** Write what there is to write, once those below us have had the time to do it. */
  #tendSoon(): void {
    const members = this.#last?.record.members ?? [];
    const rank = members.findIndex(({ life }) => life === this.#place?.self.life);
    const wait = Math.min(Math.max(0, rank) * yieldMillis, yieldMillisMax);
    setTimeout(() => this.#tend(), wait).unref();
  }

  #tend(): void {
    this.#isToTend = true;
    if (!this.#isTending && this.#place !== null) void this.#settle();
  }

  async #settle(): Promise<void> {
    this.#isTending = true;
    try {
      while (this.#isToTend && !this.#isOver) {
        this.#isToTend = false;
        await this.#write();
      }
    } catch (error) {
      // Whether it was done is seen at the next renewal, and if not it is done then.
      this.trouble((error as Error).message);
    } finally {
      this.#isTending = false;
    }
  }

  async #write(): Promise<void> {
    const { self } = this.#place!;
    for (let snapshot = await this.#read(); !this.#isOver; ) {
      if (!snapshot.record.members.some(({ life }) => life === self.life)) return this.#without(snapshot.record);
      const next = this.#next(snapshot);
      if (next === null) return;
      const { entry, gone } = next;
      const isLeaving = entry.leftCleanly.length > 0;
      const txn = this.#keys.changing(snapshot, recordAfter(snapshot, entry), { gone, self, ...(isLeaving ? { ended: self } : {}) });
      const answer = await this.#gateway.call<TxnAnswer>('/v3/kv/txn', txn);
      if (answer.succeeded === true && isLeaving) return this.#left.resolve();
      snapshot = answer.succeeded === true ? await this.#read() : this.#keys.snapshotIn(answer);
    }
  }

  /** Is it no member any more? false: others have written meanwhile. */
  async #hasExpelled(node: NodeId, reason: string): Promise<boolean> {
    const snapshot = await this.#read();
    const member = snapshot.record.members.find((one) => one.node === node);
    if (member === undefined) return true;
    const entry = rollOf(snapshot).afterChanges({ gone: new Set([member.life]), leaving: new Set(), announced: new Map() })!;
    const record = { ...recordAfter(snapshot, entry), expelled: { node, reason } };
    const answer = await this.#gateway.call<TxnAnswer>('/v3/kv/txn', this.#keys.changing(snapshot, record, { ended: member }));
    return answer.succeeded === true;
  }

  async #read(): Promise<Snapshot> {
    return this.#keys.snapshotIn(await this.#gateway.call<TxnAnswer>('/v3/kv/txn', this.#keys.reading));
  }

  /** We do not get in. */
  #refuse(error: Error): void {
    if (this.#state !== 'joining') return;
    this.#state = 'out';
    this.#joined.reject(error);
  }

  /** We are out. */
  #lose(reason: string): void {
    const state = this.#state;
    if (state === 'joining') this.#refuse(new DlmError('DLM_NO_NODE', reason));
    this.#left.reject(this.#noAnswer());
    this.#end();
    if (state !== 'in') return;
    this.#lostFor = reason;
    queueMicrotask(() => this.#follower?.lost(reason));
  }

  /** Let go of everything. */
  #end(): void {
    this.#state = 'out';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#watch?.end();
    this.#gateway.close();
  }

  #log(line: string): void {
    this.#options.log?.(line);
  }

  #noAnswer(): DlmError {
    const why = this.#trouble === '' ? '' : `: ${this.#trouble}`;
    return new DlmError('DLM_NO_NODE', `etcd does not answer in time${why}`, 'see that a majority of its members runs, and that the endpoints are theirs');
  }
}
