/**
 * On which rung of the ladder does a lockspace stand, whom does it wait for, and why?
 *
 *   ringid    no view shows this node in the lockspace yet
 *   quorum    the view is not quorate, or nothing was heard from the engine for too long
 *   fencing   somebody has failed and may still act, or not all have told whom they miss
 *   suspend   applications are being suspended
 *   dlm       locks are being recovered
 *   app       the data of a failed member is being put in order
 *
 * The rungs come in this order; the first that is not reached is told. For people: what
 * is said here is read off the rooms that decide, and nothing depends on it.
 *
 * Kin: dlm_tool ls -n ("wait ringid", "wait quorum", "wait fencing", …).
 */
import type { NodeId } from '../base/ids.js';
import type { Pauses } from '../application/pauses.js';
import { latestLives } from '../cluster/cases.js';
import type { Fencing } from '../cluster/fencing.js';
import type { FailureCase, PendingSlot } from '../wire/message.js';
import type { Stack } from './stack.js';

export type Rung = 'ringid' | 'quorum' | 'fencing' | 'suspend' | 'dlm' | 'app';

export interface Standstill {
  readonly rung: Rung;
  /** The nodes whose turn it is; none: not a node, but somebody outside. */
  readonly waitsFor: readonly NodeId[];
  /** Why, as a sentence without a full stop. */
  readonly words: string;
}

/** Null: it waits for nothing. */
export function standstillOf(stack: Stack, fencing: Fencing, self: NodeId): Standstill | null {
  if (stack.standing === 'joining') return { rung: 'ringid', waitsFor: [], words: 'no view shows this node in the lockspace yet' };
  if (stack.standing === 'no quorum') return { rung: 'quorum', waitsFor: [], words: 'this node is not in a quorate view' };
  return fencingOf(stack, fencing) ?? suspensionOf(stack, self) ?? recoveryOf(stack, self) ?? applicationOf(stack, self);
}

function fencingOf({ name, aftermath, recovery, isRunning }: Stack, fencing: Fencing): Standstill | null {
  const { order, isDisturbed } = aftermath;
  const isWanted = order.steps.has('fence') && (isDisturbed || !isRunning || recovery.phase === 'resume');
  if (!isWanted) return null;
  // Before all have told, nobody is fenced.
  const silent = fencing.silent();
  if (silent.length > 0) {
    return { rung: 'fencing', waitsFor: silent, words: `${nodesIn(silent)} ${silent.length === 1 ? 'has' : 'have'} not told whom ${silent.length === 1 ? 'it misses' : 'they miss'}` };
  }
  const open = latestLives(fencing.openCases(name));
  if (open.length > 0) {
    const actors = new Set(open.flatMap((one) => fencing.actorOf(one) ?? []));
    return { rung: 'fencing', waitsFor: [...actors].sort((one, other) => one - other), words: open.map((one) => caseWords(one, fencing)).join('; ') };
  }
  return null;
}

function caseWords(one: FailureCase, fencing: Fencing): string {
  const { victim, name, attempts, words } = one;
  const actor = fencing.actorOf(one);
  const who = `node ${victim} (${name})`;
  if (attempts > 0) return `${who} could not be fenced in ${attempts} attempt${attempts === 1 ? '' : 's'} of node ${actor}: ${words}`;
  return actor === null ? `${who} has failed, and nobody is left to fence it` : `${who} is being fenced by node ${actor}`;
}

function suspensionOf({ aftermath, recovery }: Stack, self: NodeId): Standstill | null {
  if (aftermath.gate.state === 'suspending') return { rung: 'suspend', waitsFor: [self], words: 'the application here is being suspended' };
  if (recovery.phase !== 'ready' || !aftermath.order.steps.has('suspend')) return null;
  const waitsFor = recovery.waitsFor();
  return waitsFor.length === 0 ? null : { rung: 'suspend', waitsFor, words: `${nodesIn(waitsFor)} ${waitsFor.length === 1 ? 'is' : 'are'} not ready` };
}

function recoveryOf({ recovery, isRunning, aftermath }: Stack, self: NodeId): Standstill | null {
  if (isRunning) return null;
  // In an order with app before dlm, it is the application that everybody waits for.
  if (recovery.phase === 'ready' && aftermath.work.pending.length > 0) return null;
  const waitsFor = recovery.waitsFor();
  const nodes = waitsFor.length === 0 ? [self] : waitsFor;
  return { rung: 'dlm', waitsFor: nodes, words: `locks are recovered: ${recovery.phase ?? 'members'}, waiting for ${nodesIn(nodes)}` };
}

function applicationOf({ aftermath, recovery, isRunning }: Stack, self: NodeId): Standstill | null {
  const { pending } = aftermath.work;
  if (pending.length > 0) {
    const workers = new Set(pending.flatMap(({ by }) => by ?? []));
    return { rung: 'app', waitsFor: [...workers].sort((one, other) => one - other), words: pending.map((one) => pendingWords(one, self, aftermath.work.pauses)).join('; ') };
  }
  const waitsFor = recovery.waitsFor();
  if (!isRunning || recovery.phase !== 'resume' || aftermath.gate.isOpen || waitsFor.length === 0) return null;
  return { rung: 'app', waitsFor, words: `applications resume when ${nodesIn(waitsFor)} know${waitsFor.length === 1 ? 's' : ''} that all is done` };
}

function pendingWords(one: PendingSlot, self: NodeId, pauses: Pauses): string {
  const { slot, victim, by, tries } = one;
  const what = slot === null ? 'all slots' : `slot ${slot} of node ${victim}`;
  if (by === null) return `${what}: no node has an application that could recover it`;
  const again = tries === 0 ? '' : `, after ${tries} attempt${tries === 1 ? '' : 's'} in vain`;
  // Only he who waits knows for how long.
  const pauseMillis = by === self ? pauses.millisBefore(one) : 0;
  return `${what} is to be recovered by node ${by}${again}${pauseMillis === 0 ? '' : `, the next one ${pauseMillis / 1000} s after the last`}`;
}

function nodesIn(nodes: readonly NodeId[]): string {
  return `${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}`;
}
