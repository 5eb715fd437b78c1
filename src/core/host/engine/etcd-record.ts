/**
 * What a cluster keeps at etcd, and the transactions that change it.
 *
 *     PREFIX/CLUSTER/view               the record: the present view, whole, and the number of the one before
 *     PREFIX/CLUSTER/members/NODE.LIFE  a member that lives: there as long as its lease is
 *
 * The record is the roll of the cluster, and the history of its key is the sequence of
 * views. It is changed by one transaction only, "if it is still the one I have read":
 * so views are in order, each is made of the one before, and a transaction that is
 * repeated, or comes late, does nothing. What made the change necessary is in the
 * same condition: the key of one that is called gone is not there, that of one that
 * speaks for itself is. The record alone says who is a member; the other keys say who
 * lives, and what is in them is for people who look.
 *
 * This file knows keys, values and conditions. It asks nobody anything.
 */
import { DlmError } from '../../base/errors.js';
import type { Answer } from './etcd-gateway.js';
import { entryOf, isCount, isName } from './registrar-protocol.js';
import { Roll, type Enrolled, type Entry, type Failed } from './roll.js';

const version = 1;

/** An entry of the roll as it is kept here. */
export interface EtcdRecord extends Entry {
  /** The number of the view before; 0: none. Whoever has not seen that one has missed a view. */
  readonly previous: number;
  /** The greatest incarnation of each number that was used. */
  readonly incarnations: readonly (readonly [number, number])[];
  /** The numbers that nobody is given who asks for none. Earlier versions write none. */
  readonly failed?: Failed;
  /** Who was declared failed in this view, and why. */
  readonly expelled?: { readonly node: number; readonly reason: string };
}

/** All that is kept, at one moment. */
export interface Snapshot {
  /** The revision of etcd at that moment, and the term of the leader behind it. */
  readonly revision: number;
  readonly term: string;
  /** The revision at which the record was written; 0: there is none yet. */
  readonly written: number;
  readonly record: EtcdRecord;
  /** The lives of those whose lease has not run out, and the revision at which each came. */
  readonly living: ReadonlyMap<string, number>;
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
}

export interface RangeAnswer {
  readonly response_range?: { readonly kvs?: readonly KeyValue[] };
}

export interface TxnAnswer extends Answer {
  readonly succeeded?: boolean;
  readonly responses?: readonly RangeAnswer[];
}

/** What happened in the keys of a cluster, as a watch tells it. */
export interface KeyEvent {
  readonly type?: 'DELETE';
  readonly kv: KeyValue;
}

export interface Change {
  readonly gone?: readonly Enrolled[];
  readonly self?: Enrolled;
  readonly ended?: Enrolled;
}

const toBase64 = (text: string): string => Buffer.from(text).toString('base64');
const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

export class EtcdKeys {
  readonly #home: string;

  constructor(prefix: string, cluster: string) {
    this.#home = `${prefix}/${cluster}/`;
  }

  /** All of ours: the key that a range begins with, and the first one after it. */
  get all(): { readonly key: string; readonly range_end: string } {
    // '0' is what follows '/'.
    return { key: toBase64(this.#home), range_end: toBase64(`${this.#home.slice(0, -1)}0`) };
  }

  isRecord({ kv }: KeyEvent): boolean {
    return fromBase64(kv.key) === `${this.#home}view`;
  }

  /** Reads everything, at the revision that a majority of etcd agrees to be the newest. */
  get reading(): object {
    return { success: this.#reads };
  }

  /**
   * Write `record` in the place of the one in `before`, if nothing was written since. `gone`: whoever of them
   * lives after all makes it void; `self` must live; `ended` does not live from now on, whatever its lease.
   */
  changing(before: Snapshot, record: EtcdRecord, { gone = [], self, ended }: Change): object {
    const livesSelf = self === undefined ? [] : [this.#created(self, 'GREATER')];
    const ends = ended === undefined ? [] : [{ request_delete_range: { key: this.#keyOf(ended) } }];
    return {
      compare: [this.#unchangedSince(before), ...gone.map((one) => this.#created(one, 'EQUAL')), ...livesSelf],
      success: [this.#writing(record), ...ends],
      failure: this.#reads,
    };
  }

  /** As `changing`, and from now on `member` lives as long as this lease does. */
  entering(before: Snapshot, record: EtcdRecord, member: Enrolled, lease: string): object {
    const { name, incarnation, address, weight } = member;
    const value = toBase64(JSON.stringify({ name, incarnation, address, weight }));
    return {
      compare: [this.#unchangedSince(before), this.#created(member, 'EQUAL')],
      success: [this.#writing(record), { request_put: { key: this.#keyOf(member), value, lease } }],
      failure: this.#reads,
    };
  }

  /** From what `reading`, or a transaction that did not succeed, was answered. Throws `DLM_PROTOCOL`. */
  snapshotIn({ header, responses = [] }: TxnAnswer): Snapshot {
    const [records, members] = responses.map(({ response_range: range }) => range?.kvs ?? []);
    const [kept] = records ?? [];
    return {
      revision: Number(header?.revision ?? 0),
      term: header?.raft_term ?? '',
      written: Number(kept?.mod_revision ?? 0),
      record: kept === undefined ? { id: 0, previous: 0, members: [], leftCleanly: [], incarnations: [] } : this.recordIn(kept),
      living: new Map((members ?? []).map(({ key, create_revision: created }) => [this.#lifeIn(key), Number(created ?? 0)])),
    };
  }

  /** Throws `DLM_PROTOCOL`. */
  recordIn({ value = '' }: KeyValue): EtcdRecord {
    const record = parse(fromBase64(value));
    const entry = entryOf(record);
    const { version: spoken, previous, incarnations, failed = [], expelled } = (record ?? {}) as unknown as EtcdRecord & { version: unknown };
    const isOne = spoken === version && entry !== null && isCount(previous, 0, Number.MAX_SAFE_INTEGER) && areIncarnations(incarnations) && areFailed(failed);
    if (!isOne) {
      throw new DlmError(
        'DLM_PROTOCOL',
        `what stands in ${this.#home}view at etcd is no record of a view as this version of dlm writes it`,
        'run the same version of dlm on all nodes of the cluster, and let nothing else write below that prefix',
      );
    }
    return { ...entry, previous, incarnations, failed, ...(isExpelled(expelled) ? { expelled } : {}) };
  }

  get #reads(): readonly object[] {
    const members = `${this.#home}members`;
    return [
      { request_range: { key: toBase64(`${this.#home}view`) } },
      { request_range: { key: toBase64(`${members}/`), range_end: toBase64(`${members}0`), keys_only: true } },
    ];
  }

  #keyOf({ node, life }: Enrolled): string {
    return toBase64(`${this.#home}members/${node}.${life}`);
  }

  #lifeIn(key: string): string {
    return fromBase64(key).slice(`${this.#home}members/`.length).replace(/^\d+\./, '');
  }

  #writing(record: EtcdRecord): object {
    return { request_put: { key: toBase64(`${this.#home}view`), value: toBase64(JSON.stringify({ version, ...record })) } };
  }

  /** A key that is not there was written at 0. */
  #unchangedSince({ written }: Snapshot): object {
    return { key: toBase64(`${this.#home}view`), target: 'MOD', result: 'EQUAL', mod_revision: String(written) };
  }

  #created(member: Enrolled, result: 'EQUAL' | 'GREATER'): object {
    return { key: this.#keyOf(member), target: 'CREATE', result, create_revision: '0' };
  }
}

export function rollOf({ record }: Snapshot): Roll {
  return new Roll(record, record.incarnations, record.failed ?? []);
}

/** The record to be written after the one in `before`. */
export function recordAfter(before: Snapshot, entry: Entry): EtcdRecord {
  const roll = rollOf(before);
  roll.commit(entry);
  return { ...entry, previous: before.record.id, incarnations: roll.incarnations, failed: roll.failed };
}

/** Members whose lease has run out. */
export function goneIn({ record, living }: Snapshot): Enrolled[] {
  return record.members.filter(({ life }) => !living.has(life));
}

/** Who is out because its lease has run out, or was given up in good order; not because somebody said so. */
export function ranOut(before: EtcdRecord | null, after: EtcdRecord): Enrolled[] {
  const lives = new Set(after.members.map(({ life }) => life));
  return (before?.members ?? []).filter(({ node, life }) => node !== after.expelled?.node && !lives.has(life));
}

function areIncarnations(value: unknown): value is EtcdRecord['incarnations'] {
  return Array.isArray(value) && value.every((pair: unknown) => Array.isArray(pair) && pair.length === 2 && isCount(pair[0], 1) && isCount(pair[1], 0, Number.MAX_SAFE_INTEGER));
}

function areFailed(value: unknown): value is Failed {
  return Array.isArray(value) && value.every((pair: unknown) => Array.isArray(pair) && pair.length === 2 && isCount(pair[0], 1) && isName(pair[1]));
}

function isExpelled(value: unknown): value is NonNullable<EtcdRecord['expelled']> {
  const { node, reason } = (value ?? {}) as { node?: unknown; reason?: unknown };
  return isCount(node, 1) && typeof reason === 'string';
}

function parse(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
