/**
 * The stage of a story: nodes that are moved by hand, the locks it speaks of, and the
 * lines it has printed.
 *
 * After each command everything that is under way arrives, the oldest first, unless it
 * is held. So a story decides about order where it matters, and only there. Views come
 * when the story says so, and time passes when it says so.
 */
import { millis, nodeId, ownerId, type Lkid, type NodeId, type OwnerId } from '../../base/ids.js';
import { IV, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Law } from '../../lock/law.js';
import { defaultLaw } from '../../lock/law.js';
import { noFencing, type FencingConfig } from '../../cluster/fencing.js';
import type { AftermathEffect, Effect } from '../../node/effect.js';
import type { Input, JoinLockspace } from '../../node/input.js';
import type { DlmNode } from '../../node/node.js';
import { defaultConfig } from '../../node/snapshot.js';
import { Ensemble, type Letter } from '../ensemble.js';
import { Aftermath } from './aftermath.js';
import { Holds, isOfKind } from './holds.js';
import { showEnd, showMessage, showModes, showUnheeded } from './words.js';

/** A lock as its owner knows it. */
export interface StoryLock {
  /** As the story calls it: node, resource, and a label if there are several. */
  readonly name: string;
  readonly node: number;
  readonly lockspace: string;
  readonly resource: string;
  readonly owner: OwnerId;
  lkid: Lkid | null;
  mode: ModeOrNone;
  /** What it has asked for and not been answered. */
  wants: ModeOrNone;
  hasToldOfWaiting: boolean;
}

/** What a story sets once for all nodes. */
export interface Setting {
  readonly lockspaces: readonly string[];
  readonly nodir: boolean;
  readonly law: Law;
  /** The directory nodes that the story has chosen. */
  readonly directory: ReadonlyMap<string, NodeId>;
  /** What follows a failure, and in which order. */
  readonly order: string;
  readonly fencing: FencingConfig;
  /** How long each node waits before it has somebody fenced, beginning with node 1. */
  readonly delays: readonly number[];
  /** The nodes that have an application; null: all. */
  readonly applications: readonly number[] | null;
  readonly suspendMillis: number;
}

const defaultSetting: Setting = {
  lockspaces: ['story'],
  nodir: false,
  law: defaultLaw,
  directory: new Map(),
  order: 'none',
  fencing: noFencing,
  delays: [],
  applications: [],
  suspendMillis: 1000,
};

/** How many messages may follow from one command. */
const lettersMax = 10_000;

export class Stage {
  readonly ensemble: Ensemble;
  readonly holds = new Holds();
  readonly locks = new Map<string, StoryLock>();
  readonly owners = new Map<string, OwnerId>();
  readonly aftermath = new Aftermath();
  setting: Setting = defaultSetting;
  showsTokens = false;
  watched: readonly string[] = [];
  /** What the present block has printed. */
  lines: string[] = [];
  readonly #saidHeld = new Set<number>();
  /** What all nodes tell of one thing is said once. */
  readonly #saidOfAll = new Set<string>();
  readonly #recovered = new Map<string, Set<NodeId>>();

  constructor() {
    this.ensemble = new Ensemble({
      effect: (node, effect) => this.#see(node, effect),
      arrives: (letter, again) => this.#arrives(letter, again),
      stray: ({ from, to, message }) => this.say(showUnheeded(to, from, message, 'oldLife')),
    });
  }

  say(line: string): void {
    this.lines.push(line);
  }

  node(id: number): DlmNode {
    return this.ensemble.player(id).node;
  }

  step(id: number, input: Input): void {
    this.ensemble.step(id, input);
  }

  start(id: number, weight: number): void {
    const { fencing, delays } = this.setting;
    this.aftermath.zombies.delete(id);
    this.ensemble.start(id, weight, { ...fencing, delayMillis: delays[id - 1] ?? 0 });
  }

  join(id: number, lockspace: string): void {
    const { nodir, law, directory, order, applications, suspendMillis } = this.setting;
    const placement = directory.size === 0 ? {} : { placement: (name: string) => directory.get(name) ?? null };
    const config: JoinLockspace['config'] = { ...defaultConfig, nodir, law, order, ...placement };
    const application = applications?.includes(id) === false ? null : { suspendMillis };
    this.step(id, { kind: 'joinLockspace', lockspace, config, application });
  }

  /** By force, if it holds locks; as failed, when its application is. */
  leave(id: number, lockspace: string, isFailed: boolean): void {
    for (const [name, held] of this.locks) if (held.node === id && held.lockspace === lockspace) this.locks.delete(name);
    this.step(id, { kind: 'leaveLockspace', lockspace, force: true, isFailed });
  }

  crash(id: number): void {
    this.ensemble.crash(id);
    this.aftermath.forget(id);
    for (const [name, { node }] of this.locks) if (node === id) this.locks.delete(name);
    for (const key of [...this.owners.keys()]) if (key.startsWith(`${id} `)) this.owners.delete(key);
  }

  /** A node hears of the next view; whatever recovery is going on there is abandoned. */
  tell(id: number): void {
    const before = this.#standings(id);
    if (!this.ensemble.tell(id)) throw new SyntaxError(`there is no view that node ${id} has not heard of`);
    for (const { lockspace, seq, phase } of before) {
      const stack = this.node(id).stack(lockspace);
      if (phase !== null && stack?.lockspace.tables.seq !== seq) this.say(`${this.#prefix(lockspace)}n${id} abandons the recovery of view ${seq} in phase ${phase}`);
    }
  }

  #standings(id: number): { lockspace: string; seq: number; phase: string | null }[] {
    return this.setting.lockspaces.flatMap((lockspace) => {
      const stack = this.node(id).stack(lockspace);
      return stack === null ? [] : [{ lockspace, seq: stack.lockspace.tables.seq, phase: stack.recovery.phase }];
    });
  }

  /** All that is under way and not held arrives. Then those who wait are named. */
  settle(): void {
    if (this.deliverSome(lettersMax) === lettersMax) throw new Error('the messages do not come to an end');
    this.#saidOfAll.clear();
    for (const lock of this.locks.values()) {
      if (lock.wants === IV || lock.hasToldOfWaiting) continue;
      lock.hasToldOfWaiting = true;
      this.say(`${lock.name} ${showModes(lock.mode, lock.wants)} waits`);
    }
  }

  /** At most so many messages arrive. Returns how many did. */
  deliverSome(most: number): number {
    for (let count = 0; ; count += 1) {
      for (const id of this.aftermath.ending) this.crash(id);
      const next = count < most ? this.ensemble.heads().find((letter) => !this.#isHeld(letter)) : undefined;
      if (next === undefined) return count;
      this.ensemble.deliver(next);
    }
  }

  #isHeld(letter: Letter): boolean {
    if (!this.holds.keeps(letter)) return false;
    if (!this.#saidHeld.has(letter.serial)) this.say(`${letter.from}>${letter.to} ${showMessage(letter.message)} is held`);
    this.#saidHeld.add(letter.serial);
    return true;
  }

  #arrives(letter: Letter, again: boolean): void {
    if (!again && !this.watched.some((kind) => isOfKind(letter, kind))) return;
    this.say(`${letter.from}>${letter.to} ${showMessage(letter.message)} arrives${again ? ' again, and is dropped' : ''}`);
  }

  /** Time passes, and every node hears of the deadlines it has asked for. */
  pass(duration: number): void {
    const end = this.ensemble.now + duration;
    for (;;) {
      const deadlines = [...this.ensemble.players.values()].map(({ id, node }) => ({ id, at: node.nextDeadline() ?? Infinity }));
      const [next] = deadlines.sort((one, other) => one.at - other.at || one.id - other.id);
      if (next === undefined || next.at > end) break;
      this.ensemble.now = Math.max(this.ensemble.now, next.at);
      this.step(next.id, { kind: 'deadline' });
      this.settle();
    }
    this.ensemble.now = millis(end);
  }

  /** The owner of that name on a node: a new one if there is none. */
  ownerOf(node: number, name: string): OwnerId {
    const key = `${node} ${name}`;
    let owner = this.owners.get(key);
    if (owner === undefined) this.owners.set(key, (owner = ownerId(this.owners.size + 1 + 100 * node)));
    return owner;
  }

  /** The lock that has this number on that node. */
  lockOf(node: number, lockspace: string, id: Lkid): StoryLock | undefined {
    return [...this.locks.values()].find((lock) => lock.node === node && lock.lockspace === lockspace && lock.lkid === id);
  }

  #prefix(lockspace: string): string {
    return this.setting.lockspaces.length > 1 ? `${lockspace}: ` : '';
  }

  #see(node: NodeId, effect: Effect): void {
    switch (effect.kind) {
      case 'complete':
      case 'block':
      case 'wait':
      case 'adopt':
        this.#tellOwner(effect.cookie as StoryLock, effect);
        break;
      case 'refuse':
        this.#refused(node, effect);
        break;
      case 'unheeded':
        this.say(showUnheeded(node, effect.from, effect.message, effect.why));
        break;
      case 'recovered':
        this.#noteRecovered(node, effect);
        break;
      case 'send':
      case 'announce':
      case 'persist':
        break;
      default:
        this.#follows(node, effect);
    }
  }

  /** What follows a failure. */
  #follows(node: NodeId, effect: AftermathEffect): void {
    const line = this.aftermath.see(node, effect);
    if (line === null || (effect.kind === 'step' && effect.step === 'dlm' && this.setting.order === 'none')) return;
    const prefix = 'lockspace' in effect && effect.lockspace !== null ? this.#prefix(effect.lockspace) : '';
    if (effect.kind !== 'step') this.say(prefix + line);
    else if (!this.#saidOfAll.has(prefix + line)) this.say(prefix + line);
    this.#saidOfAll.add(prefix + line);
  }

  #tellOwner(lock: StoryLock, effect: Extract<Effect, { cookie: unknown }>): void {
    lock.lkid = effect.lkid;
    if (effect.kind === 'block') this.say(`${lock.name} ${nameOfMode(lock.mode)} is told that it blocks ${nameOfMode(effect.mode)}`);
    if (effect.kind === 'adopt') this.say(`${lock.name} ${nameOfMode(effect.mode)} adopted`);
    if (effect.kind !== 'complete' && effect.kind !== 'adopt') return;
    lock.mode = effect.mode;
    lock.wants = IV;
    if (effect.kind === 'complete') this.say(`${lock.name} ${showEnd(effect, this.showsTokens)}`);
    if (effect.mode === IV && this.locks.get(lock.name) === lock) this.locks.delete(lock.name);
  }

  #refused(node: NodeId, { call, code, rule }: Extract<Effect, { kind: 'refuse' }>): void {
    const lock = call.kind === 'lock' ? (call.cookie as StoryLock) : 'lkid' in call ? this.lockOf(node, call.lockspace, call.lkid) : undefined;
    this.say(`${lock?.name ?? node} ${call.kind} is refused: ${code}${call.kind === 'fenceAck' || call.kind === 'joinLockspace' ? `: ${rule?.text}` : ''}`);
    if (lock === undefined) return;
    if (call.kind === 'convert') lock.wants = IV;
    if (call.kind === 'lock') this.locks.delete(lock.name);
  }

  #noteRecovered(node: NodeId, { lockspace, generation }: Extract<Effect, { kind: 'recovered' }>): void {
    const { members } = this.node(node).stack(lockspace)!.lockspace.tables;
    const key = `${lockspace} ${members.seq}`;
    const done = this.#recovered.get(key) ?? new Set();
    this.#recovered.set(key, done.add(node));
    if (done.size === members.nodes.length) this.say(`${this.#prefix(lockspace)}recovery of view ${members.seq} done, generation ${generation}`);
  }
}

export const asNode = nodeId;
