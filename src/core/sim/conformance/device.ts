/**
 * The lockspace device of the recordings, put in front of a node.
 *
 * The recordings were made through the kernel's device for user programs, which
 * has habits of its own. They live here and nowhere else:
 *
 *   - a value buffer belongs to the lock, is made by the first lock or convert
 *     call with VALBLK, and is overwritten by every later convert and unlock call,
 *     also by one that is refused;
 *   - a completion shows that buffer unless the conversion wrote it, whether or
 *     not the lock manager put anything in it;
 *   - callbacks wait in the device until they are read, and a blocking callback
 *     is dropped when the one waiting before it says as much; until then the id of
 *     an ended lock is still known to a conversion, which finds it busy;
 *   - there are no callbacks for an orphan, since nobody reads them;
 *   - a lock call without a completion address is refused;
 *   - a lock call with CONVERT is a conversion of the id it gives, 0 if none;
 *   - adopting an orphan answers at once, and a purge of another node fails.
 */
import { incarnation, lkid, millis, nodeId, ownerId, type Lkid, type OwnerId } from '../../base/ids.js';
import { Flag, namesOfResults } from '../../lock/flags.js';
import { IV, modeNamed, nameOfMode, type Mode, type ModeOrNone } from '../../lock/mode.js';
import type { Law } from '../../lock/law.js';
import { transferOf } from '../../lock/lvb.js';
import { saysItAll, type Complete } from '../../lock/turn.js';
import type { LockspaceDump } from '../../node/snapshot.js';
import type { Effect } from '../../node/effect.js';
import type { Input } from '../../node/input.js';
import { DlmNode } from '../../node/node.js';
import { labelOfEvent, type Outcome, type RecordedEvent } from './recording.js';
import { flagsOf, nameOf, parseLabel, parseProcess, targetOf, type Step } from './scenario.js';
import { bytesOfHex, hexOfBytes, showState } from './show.js';

const lockspace = 'conformance';
const valueLength = 32;

/** What the device keeps for one lock: its file's memory of it. */
interface DeviceLock {
  label: string;
  readonly owner: OwnerId;
  /** Was an address given for blocking callbacks? */
  hearsBlocking: boolean;
  lkid: Lkid | null;
  buffer: Uint8Array | null;
  /** The mode of the completion delivered last. */
  completed: ModeOrNone;
}

type Call = (step: Step) => string;

/** The lock a call speaks of, as far as the device knows it. */
interface Target {
  readonly id: Lkid;
  readonly lock: DeviceLock | null;
  /** Has it ended without anybody having read so? */
  readonly isUnread: boolean;
}

const nothing: Target = { id: lkid(0), lock: null, isUnread: false };

export class Device {
  readonly #node: DlmNode;
  /** What each label stands for; one whose lock has ended stands for nothing. */
  readonly #labels = new Map<string, DeviceLock>();
  /** The labels of locks whose end has not been read. */
  readonly #unread = new Set<string>();
  readonly #owners = new Map<number, OwnerId>();
  readonly #ended = new Set<OwnerId>();
  #lastOwner = 0;
  #events: RecordedEvent[] = [];
  /** Calls that wait for locking to start again; null while it runs. */
  #blocked: Step[] | null = null;

  constructor(law: Law) {
    this.#node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });
    this.#step({ kind: 'joinLockspace', lockspace, config: { valueLength, law, nodir: false } });
  }

  /** Carry out one line, and tell what a person at the device would have seen. */
  perform(step: Step): Outcome {
    const call = this.#calls[step.verb];
    const rc = call === undefined ? this.#act(step) : this.#blocked === null ? call(step) : this.#block(step);
    const ev = this.#events;
    const answer = rc === null ? {} : { rc };
    if (step.inHaste) return answer;
    this.#read();
    const st = showState(this.#node.dump(lockspace) as LockspaceDump, this.#labelOf);
    return { ...answer, ev, st };
  }

  #read(): void {
    this.#events = [];
    this.#unread.clear();
  }

  readonly #calls: Readonly<Record<string, Call>> = {
    lock: (step) => this.#lock(step),
    convert: (step) => this.#convert(step),
    unlock: (step) => this.#unlock(step),
    cancel: (step) => this.#cancel(step, 'ECANCEL'),
    deadlock: (step) => this.#cancel(step, 'EDEADLK'),
    purge: (step) => this.#purge(step),
  };

  /** What is no call and has no return code. */
  #act(step: Step): null {
    if (step.verb === 'exit' || step.verb === 'close') this.#end(parseProcess(step.words[0]));
    else if (step.verb === 'suspend') this.#blocked = [];
    else if (step.verb === 'resume') this.#resume();
    else if (step.verb !== 'settle') throw new SyntaxError(`'${step.line}': one node cannot do that`);
    return null;
  }

  #block(step: Step): string {
    this.#blocked?.push(step);
    return 'BLOCKED';
  }

  #resume(): void {
    const late = this.#blocked ?? [];
    this.#blocked = null;
    for (const step of late) this.#events.push({ late_rc: step.line, rc: this.#calls[step.verb]!(step) });
  }

  #lock(step: Step): string {
    const label = parseLabel(step.words[0]!);
    const flags = flagsOf(step);
    const buffer = (flags & Flag.VALBLK) !== 0 ? new Uint8Array(valueLength) : null;
    const hearsBlocking = !step.words.includes('nobast');
    const owner = this.#ownerOf(label.process);
    const lock: DeviceLock = { label: label.text, owner, hearsBlocking, lkid: null, buffer, completed: IV };
    if (step.words.includes('nocast')) return 'EINVAL';
    if ((flags & Flag.CONVERT) !== 0) return this.#convert(step, step.settings.has('lkid') ? this.#target(step) : nothing);

    const effects = this.#step({
      kind: 'lock',
      lockspace,
      owner,
      name: nameOf(step),
      mode: modeOf(step),
      flags,
      value: buffer,
      cookie: lock,
    });
    const kind = effects.find((effect) => effect.kind !== 'block')?.kind;
    if (kind === 'adopt') this.#inherit(lock);
    if (lock.completed !== IV || kind === 'wait') this.#labels.set(label.text, lock);
    return codeOf(effects);
  }

  #convert(step: Step, { id, lock, isUnread } = this.#target(step)): string {
    if (step.words.includes('nocast')) return 'EINVAL';
    if (isUnread) return 'EBUSY';
    const flags = flagsOf(step);
    if (lock !== null && (flags & Flag.VALBLK) !== 0) lock.buffer ??= new Uint8Array(valueLength);
    if (lock !== null) this.#overwrite(lock, step);
    if (lock !== null) lock.hearsBlocking = !step.words.includes('nobast');
    const value = lock?.buffer ?? null;
    return codeOf(
      this.#step({ kind: 'convert', lockspace, lkid: id, mode: modeOf(step), flags, value }),
    );
  }

  #unlock(step: Step): string {
    const flags = flagsOf(step);
    if ((flags & Flag.CANCEL) !== 0) return this.#cancel(step, 'ECANCEL');
    const { id, lock } = this.#target(step);
    if (lock !== null) this.#overwrite(lock, step);
    const value = lock?.buffer ?? null;
    return codeOf(this.#step({ kind: 'unlock', lockspace, lkid: id, flags, value }));
  }

  #cancel(step: Step, status: 'ECANCEL' | 'EDEADLK'): string {
    const { id } = this.#target(step);
    const flags = flagsOf(step) | Flag.CANCEL;
    return codeOf(this.#step({ kind: 'cancel', lockspace, lkid: id, flags, status }));
  }

  #purge(step: Step): string {
    const caller = this.#ownerOf(parseProcess(step.words[0]));
    const node = Number(step.settings.get('nodeid') ?? 0);
    if (node > 1) return 'ENOBUFS';

    const pid = step.settings.get('pid') ?? '0';
    const owner = pid.startsWith('@') ? this.#ownerNow(parseProcess(pid)) : Number(pid) === 0 ? null : ownerId(Number(pid));
    const kind = owner === caller ? 'purgeOwner' : 'purgeOrphans';
    if (kind === 'purgeOwner') this.#step({ kind, lockspace, owner: caller });
    else this.#step({ kind, lockspace, formerOwner: owner });
    return '0';
  }

  #end(process: number): void {
    const owner = this.#ownerOf(process);
    this.#ended.add(owner);
    this.#step({ kind: 'endOwner', owner });
  }

  /** The open file of a process: a new one if it has ended before. */
  #ownerOf(process: number): OwnerId {
    const owner = this.#owners.get(process);
    if (owner !== undefined && !this.#ended.has(owner)) return owner;
    this.#lastOwner += 1;
    this.#owners.set(process, ownerId(this.#lastOwner));
    return ownerId(this.#lastOwner);
  }

  /** The pid that a process has or had. */
  #ownerNow(process: number): OwnerId {
    return this.#owners.get(process) ?? this.#ownerOf(process);
  }

  /** The lock a call speaks of: by its label, or by an id. */
  #target(step: Step): Target {
    const label = targetOf(step);
    if (typeof label === 'number') return { ...nothing, id: lkid(label) };
    const lock = this.#labels.get(label) ?? null;
    return { id: lock?.lkid ?? lkid(0), lock, isUnread: this.#unread.has(label) };
  }

  /** What the file remembers of an orphan, its buffer and what was delivered, goes to whoever adopts it. */
  #inherit(lock: DeviceLock): void {
    const former = this.#labels.get(this.#labelOf(lock.lkid!));
    if (former === undefined) return;
    lock.buffer = former.buffer;
    lock.completed = former.completed;
    this.#labels.delete(former.label);
  }

  #overwrite(lock: DeviceLock, step: Step): void {
    if (lock.buffer === null) return;
    lock.buffer.fill(0);
    lock.buffer.set(bytesOfHex(step.settings.get('lvb') ?? '').subarray(0, valueLength));
  }

  #step(input: Input): Effect[] {
    const effects = this.#node.step(millis(0), input);
    for (const effect of effects) this.#observe(effect);
    return effects;
  }

  #observe(effect: Effect): void {
    if (!('cookie' in effect)) return;
    const lock = effect.cookie as DeviceLock;
    lock.lkid = effect.lkid;
    if (this.#ended.has(lock.owner)) return;
    if (effect.kind === 'complete') this.#completed(lock, effect);
    else if (effect.kind === 'block') this.#blocking(lock, effect.mode);
    else if (effect.kind === 'adopt') lock.completed = effect.mode;
  }

  #blocking(lock: DeviceLock, mode: Mode): void {
    if (!lock.hearsBlocking) return;
    const pending = this.#events.findLast((event) => labelOfEvent(event) === lock.label);
    if (pending !== undefined && 'bast' in pending) {
      if (saysItAll(modeNamed(pending.mode) ?? IV, mode)) return;
    }
    this.#events.push({ bast: lock.label, mode: nameOfMode(mode) });
  }

  #completed(lock: DeviceLock, effect: Complete): void {
    const status = effect.status === 'OK' ? '0' : effect.status;
    const transfer = transferOf(lock.completed, effect.mode);
    if (effect.value !== null) lock.buffer?.set(effect.value);
    const showsBuffer = effect.status === 'OK' && lock.buffer !== null && transfer !== 'write';
    const flags = namesOfResults(effect.results);

    this.#events.push({
      ast: lock.label,
      status,
      ...(flags.length > 0 ? { flags } : {}),
      ...(showsBuffer ? { lvb: hexOfBytes(lock.buffer!) } : {}),
    });
    lock.completed = effect.mode;
    if (effect.mode !== IV || effect.status === 'OK') return;
    if (this.#labels.get(lock.label) === lock) this.#labels.delete(lock.label);
    this.#unread.add(lock.label);
  }

  readonly #labelOf = (id: Lkid): string => {
    for (const lock of this.#labels.values()) if (lock.lkid === id) return lock.label;
    return '?';
  };
}

function codeOf(effects: readonly Effect[]): string {
  const refused = effects.find((effect) => effect.kind === 'refuse');
  return refused === undefined ? '0' : refused.code;
}

function modeOf(step: Step): Mode {
  const text = step.settings.get('mode') ?? '';
  return modeNamed(text) ?? (Number(text) as Mode);
}
