/**
 * The state of the world of the model: nodes with what each of them knows, views,
 * messages under way, and what only an onlooker knows.
 *
 * Sets of nodes are bits by number; sets of slots are bits by slot. Each life of a node
 * has a slot of its own, so that a slot is never two things. All messages between two
 * nodes arrive in order.
 */

export enum Power {
  Off,
  Up,
  /** Frozen, or cut off: hears nothing, and may go on writing. */
  Cut,
}

export enum App {
  Running,
  Asked,
  Suspended,
}

export enum Phase {
  /** Stopped: everybody tells what it knows. */
  Members,
  /** Has reported that, on its part, all that dlm waits for has ended. */
  Ready,
  Recovering,
  Open,
  /** Has reported that, on its part, all that resume waits for has ended. */
  Recovered,
  Resumed,
}

export interface View {
  readonly members: number;
  /** By node: which of its lives, -1 if it is no member. */
  readonly lives: readonly number[];
  readonly isQuorate: boolean;
}

export interface Node {
  power: Power;
  /** Which life it is or was; -1 before the first. */
  life: number;
  /** The place of its latest view among all; -1: none yet. */
  view: number;
  /** It has lost all others and sees itself alone, without quorum. */
  isAlone: number;
  /** Who has told what it knows in this view. */
  heard: number;
  /** Has anybody who has spoken, or it itself, known the lockspace before this view? */
  hasHistory: number;
  /** Failed nodes: cases that are open, and those with a verdict. */
  open: number;
  fenced: number;
  pending: number;
  done: number;
  /** Slots that other members are at work on. */
  elsewhere: number;
  app: App;
  phase: Phase;
  /** Reports that have come to it, if it is the coordinator: ready, recovering, recovered. */
  reports: [number, number, number];
  /** Whom it has fenced, and how far that is: 0, 1 begun, 2 the victim is off. */
  victim: number;
  agent: number;
  /** The slot it is at work on; -1: none. */
  work: number;
  /** Does its application hold the lock, and since which view? */
  holds: number;
  since: number;
  /** Something that a former life protected goes on. */
  residue: number;
}

export type Kind = 'census' | 'report' | 'proceed' | 'verdict' | 'doneRecord';

export interface Message {
  readonly from: number;
  readonly to: number;
  readonly view: number;
  readonly kind: Kind;
  /** What it says: numbers, by kind. */
  readonly says: readonly number[];
}

export interface World {
  failures: number;
  joins: number;
  /** Never changed in place. */
  views: readonly View[];
  nodes: Node[];
  messages: Message[];
  /** Slots that have been recovered, and those after whose recovery somebody resumed. */
  replayed: number;
  resumedAfter: number;
  /** The view in which nobody knew who had been here before; 0: there was none. */
  startedAt: number;
  /** What has been done against the order or the rules. */
  wrong: string | null;
}

export const bit = (place: number): number => 1 << place;
export const isIn = (place: number, set: number): boolean => (set & bit(place)) !== 0;
export const lowest = (set: number): number => 31 - Math.clz32(set & -set);
export const livesMax = 3;
export const slotOf = (node: number, life: number): number => node * livesMax + life;
export const nodeOfSlot = (slot: number): number => Math.floor(slot / livesMax);
export const lifeOfSlot = (slot: number): number => slot % livesMax;

export function* each(set: number): Generator<number> {
  for (let place = 0; set >> place !== 0; place += 1) if (isIn(place, set)) yield place;
}

export function copyOf(world: World): World {
  return {
    ...world,
    nodes: world.nodes.map((node) => ({ ...node, reports: [...node.reports] })),
    messages: [...world.messages],
  };
}

const kinds: readonly Kind[] = ['census', 'report', 'proceed', 'verdict', 'doneRecord'];

/** The same text for the same state, whatever the order in which it was reached. */
export function keyOf(world: World): string {
  const codes = [world.failures, world.joins + 8 * world.startedAt, world.replayed, world.resumedAfter];
  for (const view of world.views) {
    codes.push(view.members + 1);
    for (const life of view.lives) codes.push(life + 1);
  }
  codes.push(0);
  for (const node of world.nodes) {
    codes.push(node.power + 4 * node.isAlone + 8 * node.hasHistory + 16 * node.holds + 32 * node.residue + 64 * node.app);
    codes.push(node.phase + 8 * node.agent + 32 * (node.victim + 1), node.life + 1 + 8 * (node.view + 1));
    codes.push(node.heard, node.open, node.fenced, node.pending, node.done, node.elsewhere, ...node.reports, node.work + 1, node.since + 1);
  }
  const messages = [...world.messages].sort((one, other) => one.from - other.from || one.to - other.to);
  for (const { from, to, view, kind, says } of messages) codes.push(from + 8 * to, kinds.indexOf(kind) + 8 * view, ...says);
  return String.fromCharCode(...codes);
}

export function newNode(life: number, power: Power): Node {
  return {
    power, life, view: -1, isAlone: 0, heard: 0, hasHistory: 0, open: 0, fenced: 0, pending: 0, done: 0, elsewhere: 0,
    app: App.Running, phase: Phase.Members, reports: [0, 0, 0], victim: -1, agent: 0, work: -1, holds: 0, since: -1, residue: 0,
  };
}
