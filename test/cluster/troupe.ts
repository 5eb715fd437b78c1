/**
 * Several nodes in one process, with a network that keeps the order of each pair and
 * nothing else: which message comes next is drawn. Views are told to each node at a
 * moment of its own.
 */
import { generation, incarnation, millis, nodeId, viewId, type NodeId } from '../../src/core/base/ids.js';
import type { Member, View } from '../../src/core/cluster/view.js';
import { defaultConfig, type LockspaceConfig } from '../../src/core/lockspace/lockspace.js';
import type { Effect } from '../../src/core/node/effect.js';
import type { Input } from '../../src/core/node/input.js';
import { DlmNode } from '../../src/core/node/node.js';
import type { Message } from '../../src/core/wire/message.js';

interface Player {
  readonly node: DlmNode;
  readonly incarnation: number;
  readonly views: View[];
  lockspaces: ReadonlyMap<string, number>;
}

type Observe = (node: number, effect: Effect) => void;

export class Troupe {
  readonly players = new Map<number, Player>();
  /** By 'from.incarnation>to.incarnation'. */
  readonly #wires = new Map<string, { from: number; to: number; messages: Message[] }>();
  #viewCount = 0;
  #lives = 0;
  now = 0;

  constructor(
    readonly draw: (count: number) => number,
    readonly observe: Observe,
    readonly config: LockspaceConfig = defaultConfig,
  ) {}

  start(id: number): void {
    this.#lives += 1;
    const node = new DlmNode({ self: nodeId(id), incarnation: incarnation(this.#lives), hasEngine: true, generation: generation(0) });
    this.players.set(id, { node, incarnation: this.#lives, views: [], lockspaces: new Map() });
    this.newView();
  }

  /** Its process is gone; the others are told by a view. */
  kill(id: number, tell = true): void {
    this.players.delete(id);
    for (const [key, wire] of this.#wires) if (wire.from === id || wire.to === id) this.#wires.delete(key);
    if (tell) this.newView();
  }

  input(id: number, input: Input): Effect[] {
    const player = this.players.get(id)!;
    const effects = player.node.step(millis(this.now), input);
    for (const effect of effects) this.#carryOut(id, player, effect);
    return effects;
  }

  #carryOut(id: number, player: Player, effect: Effect): void {
    if (effect.kind === 'send') this.#post(id, player, effect.to, effect.message);
    else if (effect.kind === 'announce') {
      player.lockspaces = effect.lockspaces;
      this.newView();
    }
    this.observe(id, effect);
  }

  #post(from: number, player: Player, to: NodeId, message: Message): void {
    // To whichever life of it the sender's view knows.
    const known = player.node.view?.members.find(({ node }) => node === to)?.incarnation;
    const key = `${from}.${player.incarnation}>${to}.${known}`;
    const wire = this.#wires.get(key) ?? { from, to, messages: [] };
    wire.messages.push(structuredClone(message));
    this.#wires.set(key, wire);
  }

  newView(isQuorate = true): void {
    this.#viewCount += 1;
    const members: Member[] = [...this.players]
      .sort(([one], [other]) => one - other)
      .map(([id, { incarnation: life, lockspaces }]) => ({ node: nodeId(id), incarnation: incarnation(life), name: `n${id}`, address: '', weight: 0, lockspaces }));
    const view: View = { id: viewId(this.#viewCount), isQuorate, members, leftCleanly: [] };
    for (const player of this.players.values()) player.views.push(view);
  }

  /** Everything that could happen next. */
  #choices(): (() => void)[] {
    const choices: (() => void)[] = [];
    for (const [id, player] of this.players) {
      if (player.views.length > 0) choices.push(() => this.input(id, { kind: 'view', view: player.views.shift()! }));
    }
    for (const [key, wire] of this.#wires) {
      if (wire.messages.length === 0) continue;
      const [, fromLife, toLife] = /\.(\d+)>\d+\.(\w+)$/.exec(key)!;
      const receiver = this.players.get(wire.to);
      if (receiver === undefined || String(receiver.incarnation) !== toLife) continue;
      const sender = receiver.node.view?.members.find(({ node }) => node === wire.from);
      if (String(sender?.incarnation) !== fromLife) continue;
      choices.push(() => this.input(wire.to, { kind: 'received', from: nodeId(wire.from), message: wire.messages.shift()! }));
    }
    return choices;
  }

  /** One of the things that could happen next. False: there is none. */
  turn(): boolean {
    const choices = this.#choices();
    if (choices.length === 0) return false;
    choices[this.draw(choices.length)]!();
    return true;
  }

  /** Until nothing more happens. */
  settle(): void {
    for (let turns = 0; this.turn(); turns += 1) if (turns > 1_000_000) throw new Error('it never settles');
  }

  joinAll(lockspace: string): void {
    for (const id of this.players.keys()) this.input(id, { kind: 'joinLockspace', lockspace, config: this.config });
    this.settle();
  }

  standing(lockspace: string): string {
    return [...this.players].map(([id, { node }]) => `n${id}: ${node.stack(lockspace)?.standing ?? 'out'}`).join(', ');
  }
}
