/**
 * Requests that arrive at the master, or at the directory.
 *
 * The master has a copy of each lock that is held elsewhere, in the same queues as its
 * own. The answer to the question in hand is the first thing that happens to its
 * lock in the turn; whatever happens to a copy otherwise is a grant, or, while it is
 * queued, the loss of the mode it offered to give up.
 *
 * Kin: lock.c receive_request(), receive_convert(), receive_unlock(), receive_cancel(),
 * receive_lookup(), receive_remove(), send_grant(), send_bast().
 */
import type { NodeId } from '../base/ids.js';
import type { Status } from '../base/status.js';
import { FarEnd } from '../lock/far-end.js';
import { Flag } from '../lock/flags.js';
import { Lock } from '../lock/lock.js';
import { stateOf } from '../lock/lvb.js';
import { IV, type Mode } from '../lock/mode.js';
import * as operations from '../lock/operations.js';
import type { Distant } from '../lock/turn.js';
import type { Answer, Cancel, Convert, Remove, Request, Standing, Unlock } from '../wire/message.js';
import { isUnanswered } from './request.js';
import type { Tables } from './tables.js';

type ReplyKind = Exclude<Answer['kind'], 'grant'>;

export class MasterSide implements Distant {
  readonly #tables: Tables;
  /** The lock whose operation is being carried out, and how its answer is called; null: there is to be none. */
  #asked: Lock | null = null;
  #kind: ReplyKind | null = null;

  constructor(tables: Tables) {
    this.#tables = tables;
    tables.turn.distant = this;
  }

  complete(lock: Lock, status: Status, value: Uint8Array | null): void {
    this.#answer(lock, status, value);
  }

  wait(lock: Lock): void {
    lock.far!.queueNumber = lock.resource.numberInQueue(lock);
    this.#answer(lock, 'queued', null);
  }

  demoted(lock: Lock): void {
    this.#answer(lock, 'queued', null);
  }

  block(lock: Lock, mode: Mode): void {
    const tables = this.#tables;
    const { node, lkid } = lock.far!;
    tables.send(node!, { kind: 'blocking', lockspace: tables.id, seq: tables.seq, lkid: lkid!, mode });
  }

  request(from: NodeId, message: Request): void {
    const tables = this.#tables;
    if (tables.hasMovedSince(message.seq, message.name, tables.self)) {
      tables.disregard(from, message, 'moved');
      return;
    }
    const resource = tables.resources.known(message.name);
    if (resource === null || !tables.isMasterOf(resource)) {
      this.#sayWhoIsMaster(from, message);
      return;
    }
    this.#serve(from, message);
  }

  #serve(from: NodeId, { lkid, name, mode, flags, value }: Request): void {
    const tables = this.#tables;
    const resource = tables.take(name);
    const lock = new Lock(tables.numbers.nextLkid(tables.locks), resource, null, null, tables.turn.now);
    lock.far = new FarEnd('master', from, lkid);
    lock.ask(mode, flags, value);
    this.#begin(lock, 'requestReply');
    operations.request(tables.turn, lock);
    this.#asked = null;
    if (lock.place === 'nowhere') tables.retire(resource);
    else tables.locks.add(lock);
  }

  /** As the directory, or as somebody who was taken for the master. */
  #sayWhoIsMaster(from: NodeId, message: Request): void {
    const tables = this.#tables;
    const { name, lkid } = message;
    if (tables.members.directoryOf(name) !== tables.self) {
      this.#send(from, 'requestReply', lkid, 'notMaster');
      return;
    }
    if (tables.config.nodir) {
      this.#serve(from, message);
      return;
    }
    const known = tables.directory.get(name);
    const mastership = known?.mastership ?? tables.numbers.nextMastership();
    const master = known?.master ?? from;
    if (known === null) tables.directory.set(name, from, mastership);
    tables.send(from, { kind: 'lookupReply', lockspace: tables.id, seq: tables.seq, lkid, master, mastership });
  }

  convert(from: NodeId, message: Convert): void {
    const lock = this.#copyOf(from, message);
    if (lock === null) {
      this.#tables.disregard(from, message, 'over');
      return;
    }
    const { mode, flags, value } = message;
    const kind = isUnanswered(this.#tables.turn.law, lock.granted, mode) ? null : 'convertReply';
    this.#begin(lock, kind);
    operations.convert(this.#tables.turn, lock, { mode, flags, value });
    this.#asked = null;
  }

  unlock(from: NodeId, message: Unlock): void {
    const lock = this.#copyOf(from, message);
    if (lock === null) {
      this.#tables.disregard(from, message, 'over');
      return;
    }
    this.#begin(lock, 'unlockReply');
    // Its holder says whether that still counts.
    lock.flags &= ~Flag.IVVALBLK;
    operations.unlock(this.#tables.turn, lock, message.flags, message.value);
    this.#asked = null;
    this.#tables.forget(lock);
  }

  cancel(from: NodeId, message: Cancel): void {
    const lock = this.#copyOf(from, message);
    if (lock === null || lock.place === 'granted') {
      this.#send(from, 'cancelReply', message.lkid, 'nothing');
      return;
    }
    this.#begin(lock, 'cancelReply');
    operations.cancel(this.#tables.turn, lock, message.flags, message.status);
    this.#asked = null;
    if (lock.place === 'nowhere') this.#tables.forget(lock);
  }

  remove(from: NodeId, message: Remove): void {
    const { name, mastership } = message;
    if (!this.#tables.directory.remove(name, from, mastership)) this.#tables.disregard(from, message, 'oldDirectory');
  }

  #copyOf(from: NodeId, { lkid, masterLkid }: { lkid: Request['lkid']; masterLkid: Request['lkid'] }): Lock | null {
    const lock = this.#tables.locks.get(masterLkid);
    if (lock === null || lock.copy !== 'master') return null;
    return lock.far!.node === from && lock.far!.lkid === lkid ? lock : null;
  }

  /** What a holder asks for is carried out next; the first that happens to the lock is the answer. */
  #begin(lock: Lock, kind: ReplyKind | null): void {
    this.#asked = lock;
    this.#kind = kind;
  }

  #answer(lock: Lock, standing: Standing, value: Uint8Array | null): void {
    let kind: Answer['kind'] = 'grant';
    if (lock === this.#asked) {
      this.#asked = null;
      if (this.#kind === null) return;
      kind = this.#kind;
    }
    const tables = this.#tables;
    const { node, lkid, queueNumber } = lock.far!;
    const { resource } = lock;
    tables.send(node!, {
      kind,
      lockspace: tables.id,
      seq: tables.seq,
      lkid: lkid!,
      masterLkid: lock.id,
      standing,
      mode: lock.granted,
      results: lock.results,
      value,
      valueState: stateOf(resource.value),
      valueSequence: resource.value?.sequence ?? 0,
      generation: lock.generation,
      mastership: lock.mastership,
      sequence: lock.tokenSequence,
      queueNumber,
    });
  }

  #send(to: NodeId, kind: ReplyKind, lkid: Request['lkid'], standing: Standing): void {
    const tables = this.#tables;
    tables.send(to, {
      kind,
      lockspace: tables.id,
      seq: tables.seq,
      lkid,
      masterLkid: lkid,
      standing,
      mode: IV,
      results: 0,
      value: null,
      valueState: 'none',
      valueSequence: 0,
      generation: tables.generation,
      mastership: 0,
      sequence: 0,
      queueNumber: 0,
    });
  }
}
