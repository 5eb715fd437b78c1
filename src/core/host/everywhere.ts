/**
 * The locks of a lockspace on all members, for people: each node is asked what it
 * knows, and what several know of one lock is put together.
 *
 * The holder of a lock knows whose it is; its master knows where it stands. Whoever does
 * not answer in time is not waited for, and named.
 */
import { lockspaceId, nodeId, viewId, type LockspaceId } from '../base/ids.js';
import type { InspectReply, InspectionMessage, Message } from '../wire/message.js';
import { lockspaceIdOf } from '../node/snapshot.js';
import { textBytesMax } from '../wire/limits.js';
import type { Host } from './host.js';
import * as inspect from './inspect.js';
import type { LockFilter, LockInfo, LocksOfAll, Unlisted } from './types.js';
import { nameToCore } from './wish.js';

/** How long a node may take to answer. */
const answerMillis = 1_000;

export class Everywhere {
  readonly #host: Host;
  readonly #open = new Map<number, (reply: InspectReply) => void>();
  #lastQuestion = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** As `inspect.locks`, of all members, and which of them have not told theirs. Rejects as it throws. */
  async locks(filter: LockFilter): Promise<LocksOfAll> {
    const names = this.#namesFor(filter);
    const own = names.filter((name) => this.#host.node.stack(name) !== null).flatMap((name) => inspect.locks(this.#host, { ...filter, lockspace: name }));
    const asked = names.flatMap((name) => this.#others(name).map(async (node) => ({ node, told: await this.#ask(node, name, filter) })));
    const answers = await Promise.all(asked);
    const all = merged([...own, ...answers.flatMap(({ told }) => (typeof told === 'string' ? [] : told))]);
    const unlisted = new Map<number, Unlisted>();
    for (const { node, told } of answers) if (typeof told === 'string' && !unlisted.has(node)) unlisted.set(node, { node, why: told });
    return {
      locks: filter.orphansOnly === true ? all.filter((lock) => lock.owner.kind === 'orphan') : all,
      unlisted: [...unlisted.values()].sort((one, other) => one.node - other.node),
    };
  }

  /** Of all lockspaces, also those that only others have joined. Throws `DLM_LOCKSPACE_UNKNOWN` of one that nobody has. */
  #namesFor({ lockspace }: LockFilter): readonly string[] {
    const { node, cluster } = this.#host;
    const others = (cluster?.view?.members ?? []).flatMap(({ lockspaces }) => [...lockspaces].filter(([, join]) => join > 0).map(([name]) => name));
    const all = [...new Set([...node.lockspaceNames(), ...others])];
    if (lockspace === undefined) return all;
    if (!all.includes(lockspace)) throw inspect.unknown(this.#host, lockspace);
    return [lockspace];
  }

  /** Those who have joined it: as we know them there, or as the view says if we have not. */
  #others(lockspace: string): number[] {
    const { node, self, cluster } = this.#host;
    const joined = (cluster?.view?.members ?? []).filter(({ lockspaces }) => (lockspaces.get(lockspace) ?? 0) > 0);
    return (node.stack(lockspace)?.group.members ?? joined).map((member) => member.node as number).filter((member) => member !== self);
  }

  #ask(node: number, lockspace: string, filter: LockFilter): Promise<LockInfo[] | Unlisted['why']> {
    const seq = this.#host.node.stack(lockspace)?.lockspace.tables.members.seq ?? viewId(this.#host.cluster!.view!.id);
    const question = (this.#lastQuestion += 1);
    return new Promise((resolve) => {
      const timer = setTimeout(() => end('silent'), answerMillis);
      const end = (locks: LockInfo[] | Unlisted['why']): void => {
        clearTimeout(timer);
        this.#open.delete(question);
        resolve(locks);
      };
      this.#open.set(question, ({ text }) => end(text.length === 0 ? 'untold' : (JSON.parse(Buffer.from(text).toString('utf8')) as LockInfo[])));
      const name = filter.name === undefined ? null : nameToCore(filter.name);
      this.#send(node, { kind: 'inspect', lockspace: lockspaceIdOf(lockspace), seq, question, name });
    });
  }

  /** Does that member answer? */
  answers(node: number): Promise<boolean> {
    const question = (this.#lastQuestion += 1);
    return new Promise((resolve) => {
      const end = (isThere: boolean): void => {
        clearTimeout(timer);
        this.#open.delete(question);
        resolve(isThere);
      };
      const timer = setTimeout(() => end(false), answerMillis);
      this.#open.set(question, () => end(true));
      // Of no lockspace: it has nothing to tell, and says that.
      this.#send(node, { kind: 'inspect', lockspace: lockspaceId(0), seq: viewId(this.#host.cluster!.view!.id), question, name: null });
    });
  }

  /** Of another node: a question, or the answer to one of ours. */
  receive(from: number, message: InspectionMessage): void {
    if (message.kind === 'inspectReply') this.#open.get(message.question)?.(message);
    else {
      const { question, lockspace, seq, name } = message;
      this.#send(from, { kind: 'inspectReply', lockspace, seq, question, text: this.#tell(lockspace, name) });
    }
  }

  #tell(id: LockspaceId, name: string | null): Uint8Array {
    const lockspace = this.#host.node.lockspaceNames().find((one) => this.#host.node.stack(one)!.lockspace.tables.id === id);
    if (lockspace === undefined) return new Uint8Array(0);
    const filter = name === null ? { lockspace } : { lockspace, name: Buffer.from(name, 'latin1') };
    const text = Buffer.from(JSON.stringify(inspect.locks(this.#host, filter)), 'utf8');
    return text.length > textBytesMax ? new Uint8Array(0) : text;
  }

  #send(to: number, message: Message): void {
    this.#host.cluster!.send({ to: nodeId(to), message });
  }
}

const order = { granted: 0, converting: 1, waiting: 2 } as const;

/** One entry a lock: its place from its master, its owner from its holder. */
function merged(all: readonly LockInfo[]): LockInfo[] {
  const byId = new Map<string, LockInfo>();
  for (const lock of all) {
    const known = byId.get(lock.id);
    if (known === undefined) byId.set(lock.id, lock);
    else byId.set(lock.id, known.owner.kind === 'elsewhere' ? { ...known, owner: lock.owner } : { ...lock, owner: known.owner });
  }
  return [...byId.values()].sort(
    (one, other) =>
      compare(one.lockspace, other.lockspace) ||
      compare(one.resourceHex, other.resourceHex) ||
      order[one.state] - order[other.state] ||
      (one.position ?? 0) - (other.position ?? 0) ||
      compare(one.id, other.id),
  );
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
