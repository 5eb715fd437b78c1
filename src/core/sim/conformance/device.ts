/**
 * The lockspace device of the recordings, put in front of one node or several.
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
 *   - a buffer that went to a master elsewhere comes back from there as it was sent,
 *     if the resource has no value to read;
 *   - adopting an orphan answers at once, and a purge on a node that is not there fails.
 */
import { lkid, nodeId, ownerId, type OwnerId } from '../../base/ids.js';
import { Flag, namesOfResults } from '../../lock/flags.js';
import { IV, modeNamed, nameOfMode, type Mode } from '../../lock/mode.js';
import type { Law } from '../../lock/law.js';
import { transferOf } from '../../lock/lvb.js';
import { saysItAll, type Complete } from '../../lock/turn.js';
import type { Effect } from '../../node/effect.js';
import type { Input } from '../../node/input.js';
import { Cluster, lockspace } from './cluster.js';
import { Memory, type DeviceLock } from './memory.js';
import { Placement } from './placement.js';
import { labelOfEvent, type Outcome, type RecordedEvent, type RecordedStep } from './recording.js';
import { flagsOf, nameOf, parseLabel, parseParty, type Party, type Scenario, type Step } from './scenario.js';
import { bytesOfHex, hexOfBytes, showState } from './show.js';

const valueLength = 32;

/** What a device is for: the nodes, and where the masters are to be. */
export interface Setting {
  readonly scenario: Pick<Scenario, 'nodes' | 'nodir' | 'steps'>;
  readonly recorded: readonly RecordedStep[];
  /**
   * A step in haste is a race: is what it sends delivered before the next call is made? A bit for each such step,
   * the first one the lowest; set: no, the next call outran it.
   */
  readonly outrun: number;
}

export const oneNode: Setting = { scenario: { nodes: 1, nodir: false, steps: [] }, recorded: [], outrun: 0 };

type Call = (step: Step) => string;

/** A call that waits for locking to start again. */
interface Blocked {
  readonly line: string;
  readonly input: Input;
}

export class Device {
  readonly #cluster: Cluster;
  readonly #placement: Placement;
  readonly #setting: Setting;
  readonly #memory = new Memory();
  /** The open file of each process, by node and process. */
  readonly #owners = new Map<string, OwnerId>();
  readonly #ended = new Set<OwnerId>();
  #lastOwner = 0;
  #stepCount = 0;
  #hasteCount = 0;
  #events: RecordedEvent[] = [];
  #isSuspended = false;
  #blocked: Blocked[] = [];
  /** What calls were refused with. */
  readonly #refusals = new Map<Input, string>();

  constructor(law: Law, setting: Setting = oneNode) {
    const { scenario, recorded } = setting;
    this.#setting = setting;
    this.#placement = new Placement(recorded, scenario.nodir);
    const config = { valueLength, law, nodir: scenario.nodir, placement: this.#placement.directoryOf };
    this.#cluster = new Cluster(scenario.nodes, latecomers(scenario.steps), config, (node, effect) => this.#observe(node, effect));
  }

  /** Carry out one line, and tell what a person at the device would have seen. */
  perform(step: Step): Outcome {
    const call = this.#calls[step.verb];
    const rc = call === undefined ? this.#act(step) : call(step);
    if (!step.inHaste || !this.#isOutrun()) this.#cluster.settle();
    this.#stepCount += 1;
    const ev = this.#events;
    const answer = rc === null ? {} : { rc };
    if (step.inHaste) return answer;
    this.#events = [];
    this.#memory.read();
    if (this.#isSuspended) return { ...answer, ev, st: {} };
    const st = showState(this.#cluster.dumps(), this.#memory.labelOf, this.#setting.scenario.nodes > 1);
    return { ...answer, ev, st };
  }

  #isOutrun(): boolean {
    this.#hasteCount += 1;
    return (this.#setting.outrun & (1 << (this.#hasteCount - 1))) !== 0;
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
  #act({ verb, words, line }: Step): null {
    this.#placement.note(this.#cluster.view + 1, this.#stepCount);
    if (verb === 'exit' || verb === 'close') this.#end(parseParty(words[0]));
    else if (verb === 'kill') this.#kill(nodesIn(words));
    else if (verb === 'leave') for (const node of nodesIn(words)) this.#leave(node);
    else if (verb === 'join') this.#cluster.join(nodesIn(words));
    else if (verb === 'suspend') this.#suspend();
    else if (verb === 'resume') this.#resume();
    else if (verb !== 'settle') throw new SyntaxError(`'${line}': nobody knows how to do that`);
    return null;
  }

  #suspend(): void {
    this.#isSuspended = true;
    this.#cluster.suspend();
  }

  #resume(): void {
    this.#isSuspended = false;
    this.#cluster.resume();
    this.#cluster.settle();
    for (const { line, input } of this.#blocked) this.#events.push({ late_rc: line, rc: this.#refusals.get(input) ?? '0' });
    this.#blocked = [];
  }

  #kill(nodes: readonly number[]): void {
    for (const node of nodes) this.#closeFiles(node);
    this.#cluster.kill(nodes);
    for (const node of nodes) this.#memory.forgetNode(node);
  }

  /** Its processes end, and with them their locks; then the node leaves. */
  #leave(node: number): void {
    for (const owner of this.#closeFiles(node)) this.#cluster.step(node, { kind: 'endOwner', owner });
    this.#cluster.settle();
    this.#cluster.leave(node);
    this.#memory.forgetNode(node);
  }

  /** Nobody reads there any more. Returns whose files were open. */
  #closeFiles(node: number): OwnerId[] {
    const open = [...this.#owners].filter(([key, owner]) => key.startsWith(`n${node}p`) && !this.#ended.has(owner));
    for (const [, owner] of open) this.#ended.add(owner);
    return open.map(([, owner]) => owner);
  }

  #lock(step: Step): string {
    const label = parseLabel(step.words[0]!);
    const flags = flagsOf(step);
    const buffer = (flags & Flag.VALBLK) !== 0 ? new Uint8Array(valueLength) : null;
    if (step.words.includes('nocast')) return 'EINVAL';
    if ((flags & Flag.CONVERT) !== 0) return this.#convert(step, step.settings.has('lkid'));

    const { node, text } = label;
    const owner = this.#ownerOf(label);
    const name = nameOf(step);
    const lock: DeviceLock = {
      label: text,
      node,
      owner,
      resource: name,
      hearsBlocking: !step.words.includes('nobast'),
      lkid: null,
      buffer,
      sent: buffer?.slice() ?? null,
      completed: IV,
      hasEnded: false,
    };
    const input: Input = { kind: 'lock', lockspace, owner, name, mode: modeOf(step), flags, value: buffer, cookie: lock };
    const rc = this.#call(step, node, input);
    if (rc !== '0' || lock.hasEnded) return rc;
    lock.lkid ??= this.#cluster.idOf(node, owner, lock);
    if ((flags & Flag.ORPHAN) !== 0) this.#memory.inherit(lock);
    this.#memory.add(lock);
    return rc;
  }

  #convert(step: Step, hasId = true): string {
    const { node, id, lock, isUnread } = this.#memory.target(step);
    if (!hasId) return this.#call(step, node, { kind: 'convert', lockspace, lkid: lkid(0), mode: modeOf(step), flags: flagsOf(step), value: null });
    if (step.words.includes('nocast')) return 'EINVAL';
    if (isUnread) return 'EBUSY';
    const flags = flagsOf(step);
    if (lock !== null && (flags & Flag.VALBLK) !== 0) lock.buffer ??= new Uint8Array(valueLength);
    if (lock !== null) this.#overwrite(lock, step);
    if (lock !== null) lock.hearsBlocking = !step.words.includes('nobast');
    const value = lock?.buffer ?? null;
    const sent = (flags & Flag.VALBLK) === 0 ? null : (value?.slice() ?? null);
    const before = lock?.sent ?? null;
    if (lock !== null) lock.sent = sent;
    const rc = this.#call(step, node, { kind: 'convert', lockspace, lkid: id, mode: modeOf(step), flags, value });
    if (lock !== null && rc !== '0') lock.sent = before;
    return rc;
  }

  #unlock(step: Step): string {
    const flags = flagsOf(step);
    if ((flags & Flag.CANCEL) !== 0) return this.#cancel(step, 'ECANCEL');
    const { node, id, lock } = this.#memory.target(step);
    if (lock !== null) this.#overwrite(lock, step);
    const value = lock?.buffer ?? null;
    return this.#call(step, node, { kind: 'unlock', lockspace, lkid: id, flags, value });
  }

  #cancel(step: Step, status: 'ECANCEL' | 'EDEADLK'): string {
    const { node, id } = this.#memory.target(step);
    const flags = flagsOf(step) | Flag.CANCEL;
    return this.#call(step, node, { kind: 'cancel', lockspace, lkid: id, flags, status });
  }

  #purge(step: Step): string {
    const party = parseParty(step.words[0]);
    const caller = this.#ownerOf(party);
    const node = Number(step.settings.get('nodeid') ?? 0) || party.node;
    if (!this.#cluster.has(node)) return 'ENOBUFS';

    const pid = step.settings.get('pid') ?? '0';
    const owner = pid.startsWith('@') ? this.#ownerNow(parseParty(pid)) : Number(pid) === 0 ? null : ownerId(Number(pid));
    if (owner === caller && node === party.node) return this.#call(step, node, { kind: 'purgeOwner', lockspace, owner: caller });
    return this.#call(step, party.node, { kind: 'purgeOrphans', lockspace, formerOwner: owner, node: nodeId(node) });
  }

  /** Make the call: what does it return, or does it wait? */
  #call(step: Step, node: number, input: Input): string {
    const isBlocked = !this.#cluster.isRunning(node);
    this.#cluster.step(node, input);
    if (!isBlocked) return this.#refusals.get(input) ?? '0';
    this.#blocked.push({ line: step.line, input });
    return 'BLOCKED';
  }

  #end(party: Party): void {
    const owner = this.#ownerOf(party);
    this.#ended.add(owner);
    this.#cluster.step(party.node, { kind: 'endOwner', owner });
  }

  /** The open file of a process: a new one if it has ended before. */
  #ownerOf(party: Party): OwnerId {
    const owner = this.#owners.get(keyOf(party));
    if (owner !== undefined && !this.#ended.has(owner)) return owner;
    this.#lastOwner += 1;
    this.#owners.set(keyOf(party), ownerId(this.#lastOwner));
    return ownerId(this.#lastOwner);
  }

  /** The pid that a process has or had. */
  #ownerNow(party: Party): OwnerId {
    return this.#owners.get(keyOf(party)) ?? this.#ownerOf(party);
  }

  #overwrite(lock: DeviceLock, step: Step): void {
    if (lock.buffer === null) return;
    lock.buffer.fill(0);
    lock.buffer.set(bytesOfHex(step.settings.get('lvb') ?? '').subarray(0, valueLength));
  }

  #observe(node: number, effect: Effect): void {
    if (effect.kind === 'refuse') this.#refusals.set(effect.call, effect.code);
    if (!('cookie' in effect)) return;
    const lock = effect.cookie as DeviceLock;
    lock.lkid = effect.lkid;
    if (this.#ended.has(lock.owner)) return;
    if (effect.kind === 'complete') this.#completed(node, lock, effect);
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

  #completed(node: number, lock: DeviceLock, effect: Complete): void {
    const status = effect.status === 'OK' ? '0' : effect.status;
    const transfer = transferOf(lock.completed, effect.mode);
    const isRead = effect.status === 'OK' && transfer === 'read';
    if (effect.value !== null) lock.buffer?.set(effect.value);
    else if (isRead && lock.sent !== null && this.#cluster.isElsewhere(node, lock.resource)) lock.buffer?.set(lock.sent);
    const showsBuffer = effect.status === 'OK' && lock.buffer !== null && transfer !== 'write';
    const flags = namesOfResults(effect.results);

    this.#events.push({
      ast: lock.label,
      status,
      ...(flags.length > 0 ? { flags } : {}),
      ...(showsBuffer ? { lvb: hexOfBytes(lock.buffer!) } : {}),
    });
    lock.completed = effect.mode;
    if (effect.mode === IV && effect.status !== 'OK') this.#memory.end(lock);
  }
}

function keyOf({ node, process }: Party): string {
  return `n${node}p${process}`;
}

function nodesIn(words: readonly string[]): number[] {
  return words.map((word) => parseParty(word).node);
}

/** The nodes of which nothing is heard before they join. */
function latecomers(steps: readonly Step[]): Set<number> {
  const heardOf = new Set<number>();
  const late = new Set<number>();
  for (const { verb, words } of steps) {
    for (const node of nodesIn(words)) if (verb === 'join' && !heardOf.has(node)) late.add(node);
    for (const node of nodesIn(words)) heardOf.add(node);
  }
  return late;
}

function modeOf(step: Step): Mode {
  const text = step.settings.get('mode') ?? '';
  return modeNamed(text) ?? (Number(text) as Mode);
}
