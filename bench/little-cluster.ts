/**
 * Nodes of a cluster in one process, with a network that does nothing but encode, keep the
 * order and decode: what is measured is the nodes and the codec.
 */
import { generation, incarnation, millis, nodeId, ownerId, viewId, type Lkid } from '../src/core/base/ids.js';
import type { Member } from '../src/core/cluster/view.js';
import { CR, EX } from '../src/core/lock/mode.js';
import type { Effect } from '../src/core/node/effect.js';
import type { Input } from '../src/core/node/input.js';
import { DlmNode } from '../src/core/node/node.js';
import { defaultConfig } from '../src/core/node/snapshot.js';
import { ByteReader } from '../src/core/wire/byte-reader.js';
import { ByteWriter } from '../src/core/wire/byte-writer.js';
import { decodeMessage, encodeMessage } from '../src/core/wire/codec.js';

const lockspace = 'bench';
const plain = { flags: 0, value: null } as const;

interface Letter {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

export class LittleCluster {
  readonly #nodes = new Map<number, { readonly node: DlmNode; readonly weight: number; joined: ReadonlyMap<string, number> }>();
  readonly #writer = new ByteWriter();
  #letters: Letter[] = [];
  #viewCount = 0;
  #lastLkid = 0 as Lkid;
  /** Nodes whose recovery has ended, since the last view. */
  recovered = 0;
  bytesSent = 0;

  /** By number: the node's share of the directory. */
  constructor(weights: Readonly<Record<number, number>>) {
    for (const [number, weight] of Object.entries(weights)) {
      const self = Number(number);
      const node = new DlmNode({ self: nodeId(self), incarnation: incarnation(self), hasEngine: true, generation: generation(0) });
      this.#nodes.set(self, { node, weight, joined: new Map() });
    }
    for (const self of this.#nodes.keys()) this.step(self, { kind: 'joinLockspace', lockspace, config: defaultConfig });
    this.newView();
  }

  /** Forget a node, with all it has; nobody is told. */
  drop(self: number): void {
    this.#nodes.delete(self);
  }

  /** Tell everybody who is left, and let it come to rest. */
  newView(): void {
    this.#viewCount += 1;
    this.recovered = 0;
    const members = Array.from(this.#nodes, ([self, { weight, joined }]): Member => {
      return { node: nodeId(self), incarnation: incarnation(self), name: `n${self}`, address: '', weight, lockspaces: joined };
    });
    const view = { id: viewId(this.#viewCount), isQuorate: true, members, leftCleanly: [] };
    for (const self of this.#nodes.keys()) this.step(self, { kind: 'view', view });
    this.#rest();
  }

  /** Lock on a node, and wait for it. */
  lock(self: number, name: string, mode: typeof EX | typeof CR = EX): Lkid {
    this.step(self, { kind: 'lock', lockspace, owner: ownerId(1), name, mode, ...plain, cookie: null });
    this.#rest();
    return this.#lastLkid;
  }

  unlock(self: number, lkid: Lkid): void {
    this.step(self, { kind: 'unlock', lockspace, lkid, flags: 0, value: null });
    this.#rest();
  }

  /** Let `master` be master of a name, and others hold it, one alone or several together. */
  hold(holders: readonly number[], master: number, name: string): void {
    const mode = holders.length === 1 ? EX : CR;
    const first = this.lock(master, name, CR);
    if (mode === EX) this.unlock(master, first);
    for (const holder of holders) this.lock(holder, name, mode);
    if (mode === CR) this.unlock(master, first);
  }

  counts(self: number): { readonly locks: number; readonly standing: string } {
    return this.#nodes.get(self)!.node.counts(lockspace)!;
  }

  mastered(self: number): number {
    const { resources } = this.#nodes.get(self)!.node.stack(lockspace)!.lockspace;
    let count = 0;
    for (const { home } of resources) if (home.master === self) count += 1;
    return count;
  }

  step(self: number, input: Input): void {
    const it = this.#nodes.get(self)!;
    for (const effect of it.node.step(millis(0), input)) this.#carryOut(self, effect);
  }

  #carryOut(from: number, effect: Effect): void {
    if (effect.kind === 'send') {
      encodeMessage(this.#writer, effect.message);
      const bytes = this.#writer.take();
      this.bytesSent += bytes.length;
      this.#letters.push({ from, to: effect.to, bytes });
    } else if (effect.kind === 'complete') this.#lastLkid = effect.lkid;
    else if (effect.kind === 'announce') this.#nodes.get(from)!.joined = effect.lockspaces;
    else if (effect.kind === 'recovered') this.recovered += 1;
  }

  #rest(): void {
    while (this.#letters.length > 0) {
      const letters = this.#letters;
      this.#letters = [];
      for (const { from, to, bytes } of letters) {
        if (!this.#nodes.has(to)) continue;
        this.step(to, { kind: 'received', from: nodeId(from), message: decodeMessage(new ByteReader(bytes)) });
      }
    }
  }
}

/** Names of 32 bytes, each in one piece. */
export const nameOf = (index: number): string => Buffer.from(`bench/${index}`.padEnd(32, '.')).toString('latin1');
