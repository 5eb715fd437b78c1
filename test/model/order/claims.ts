/**
 * What must never happen, judged by an onlooker who knows everything: which lives have
 * ended, which views there were, and which slots have been recovered.
 *
 * Nothing here looks at the rules; what an order promises is all that is asked for.
 */
import type { Setting } from './rules.js';
import { App, isIn, lifeOfSlot, nodeOfSlot, Phase, Power, slotOf, type Node, type World } from './state.js';

/** Lives that some view had and this one, a later one, has not; as slots. */
export function failedBefore(world: World, view: number): number[] {
  const failed = new Set<number>();
  for (const { lives } of world.views.slice(0, view)) {
    for (const [node, life] of lives.entries()) {
      if (life >= 0 && world.views[view]!.lives[node] !== life) failed.add(slotOf(node, life));
    }
  }
  return [...failed];
}

/** May anything that this life protected go on? */
function mayWrite(world: World, slot: number): boolean {
  const node = world.nodes[nodeOfSlot(slot)]!;
  return node.life === lifeOfSlot(slot) ? node.power !== Power.Off : node.residue === 1;
}

const blame = (world: World, what: string): void => {
  world.wrong ??= what;
};

/** Recovery of the locks begins at `self`. */
export function atDlm(world: World, setting: Setting, self: number): void {
  const { view, isAlone } = world.nodes[self]!;
  const { order } = setting;
  if (isAlone === 1 || !world.views[view]!.isQuorate) return blame(world, 'dlm recovery outside a quorate view');
  const failed = failedBefore(world, view);
  if (order.waits('dlm', 'fence') && failed.some((slot) => mayWrite(world, slot))) blame(world, 'dlm recovery beside a node that is not fenced');
  if (order.waits('dlm', 'app') && failed.some((slot) => !isIn(slot, world.replayed))) blame(world, 'dlm recovery before a slot was recovered');
  if (!order.waits('dlm', 'suspend') || failed.every((slot) => isIn(slot, world.replayed))) return;
  for (const [node, life] of world.views[view]!.lives.entries()) {
    const member = world.nodes[node]!;
    if (life < 0 || member.life !== life || member.power === Power.Off) continue;
    if (member.app !== App.Suspended) blame(world, 'dlm recovery while a member is not suspended');
  }
}

/** The application of `self` is granted the lock. */
export function atGrant(world: World, setting: Setting, self: number): void {
  const { view, isAlone } = world.nodes[self]!;
  if (isAlone === 1 || !world.views[view]!.isQuorate) blame(world, 'a grant outside a quorate view');
  if (!setting.order.has('app')) return;
  if (failedBefore(world, view).some((slot) => !isIn(slot, world.replayed))) blame(world, 'a grant before a slot was recovered');
}

/** `self` has `victim` fenced. */
export function atFence(world: World, self: number, victim: number): void {
  const { view, isAlone } = world.nodes[self]!;
  const { life } = world.nodes[victim]!;
  if (world.views.slice(view).every(({ lives }) => life >= 0 && lives[victim] === life)) blame(world, 'fencing of a member');
  else if (isAlone === 1 || !world.views[view]!.isQuorate) blame(world, 'fencing outside a quorate view');
  const others = world.nodes.filter((node, place) => place !== self && node.power === Power.Up && node.agent > 0 && node.victim === victim);
  if (others.length > 0) blame(world, 'two fence the same node');
}

/** `self` begins to recover `slot`. */
export function atReplay(world: World, setting: Setting, self: number, slot: number): void {
  const { view, isAlone } = world.nodes[self]!;
  if (isAlone === 1 || !world.views[view]!.isQuorate) blame(world, 'recovery of a slot outside a quorate view');
  if (setting.order.waits('app', 'fence') && mayWrite(world, slot)) blame(world, 'recovery of a slot that is still written');
  if (isIn(slot, world.resumedAfter)) blame(world, 'a slot recovered again after somebody had resumed');
  const others = world.nodes.filter((node, place) => place !== self && node.power !== Power.Off && node.work === slot);
  if (others.length > 0 && setting.order.waits('app', 'fence')) blame(world, 'two recover the same slot');
}

/** The application of `self` goes on. */
export function atResume(world: World, setting: Setting, self: number): void {
  const failed = failedBefore(world, world.nodes[self]!.view);
  if (failed.some((slot) => !isIn(slot, world.replayed))) blame(world, 'resumed before a slot was recovered');
  if (setting.order.waits('resume', 'fence') && failed.some((slot) => mayWrite(world, slot))) blame(world, 'resumed beside a node that is not fenced');
}

/** Two that believe they hold the lock, and may write. */
export function inEveryState(world: World, setting: Setting): string | null {
  const latest = world.views.at(-1)!;
  const isMember = (node: number): boolean => latest.lives[node] === world.nodes[node]!.life;
  // An order without fencing promises nothing about those who are out.
  const promises = setting.order.has('fence');
  const writes = ({ power, holds, app, residue }: Node, place: number): boolean =>
    (promises || (isMember(place) && power === Power.Up)) && (residue === 1 || (power !== Power.Off && holds === 1 && app !== App.Suspended));
  if (world.wrong !== null) return world.wrong;
  if (world.nodes.filter(writes).length > 1) return 'two writers';
  return setting.order.waits('resume', 'fence') && world.nodes.some((_, place) => isTooEarly(world, place)) ? 'a newcomer goes on beside a node that is not fenced' : null;
}

/** Has it come in its latest view, and does its application run beside somebody who failed before? */
function isTooEarly(world: World, place: number): boolean {
  const { life, view, power, app } = world.nodes[place]!;
  if (power !== Power.Up || view < 1 || app === App.Suspended || world.views[view - 1]!.lives[place] === life) return false;
  return failedBefore(world, view).some((slot) => mayWrite(world, slot));
}

/** Nothing goes on. Is that because all is well? Only a quorate view is promised that. */
export function atRest(world: World, setting: Setting): string | null {
  const latest = world.views.at(-1)!;
  if (!latest.isQuorate) return null;
  const last = setting.order.has('resume') ? Phase.Resumed : Phase.Open;
  for (const [place, { life, power, view, phase, app, open, pending }] of world.nodes.entries()) {
    if (latest.lives[place] !== life || power !== Power.Up) continue;
    if (view !== world.views.length - 1 || phase !== last || app !== App.Running || open !== 0 || pending !== 0) return 'somebody is stuck';
  }
  return null;
}
