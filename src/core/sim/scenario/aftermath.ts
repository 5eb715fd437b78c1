/**
 * What follows failures, as a story sees it: agents and applications that have been
 * asked for something and answer when the story says so, and the words for all of it.
 *
 * It knows what an onlooker knows who decides nothing: which nodes are cut off and may
 * still write. Whoever puts their data in order meanwhile is found out.
 */
import type { Incarnation, NodeId, Slot, ViewId } from '../../base/ids.js';
import type { AftermathEffect, StepTaken } from '../../node/effect.js';
import type { DlmNode } from '../../node/node.js';
import type { Stack } from '../../node/stack.js';
import type { StoryLock } from './stage.js';

/** An agent that a node has started. It may answer also when it is wanted no more. */
export interface Agent {
  readonly node: NodeId;
  readonly victim: NodeId;
  readonly incarnation: Incarnation;
  isWanted: boolean;
}

/** What an application was asked to put in order. */
export interface Work {
  readonly node: NodeId;
  readonly lockspace: string;
  readonly slot: Slot | null;
  readonly since: ViewId;
}

export class Aftermath {
  agents: Agent[] = [];
  works: Work[] = [];
  /** They hear nothing and are not heard, and may still write what they hold. */
  readonly zombies = new Map<number, readonly StoryLock[]>();
  /** A disk outside of the cluster, which keeps the highest token that somebody has written with, by resource. */
  readonly disk = new Map<string, readonly number[]>();
  /** Nodes that must end. */
  readonly ending = new Set<NodeId>();

  /** A node is gone, and whatever ran on it. */
  forget(id: number): void {
    this.agents = this.agents.filter(({ node }) => node !== id);
    this.works = this.works.filter(({ node }) => node !== id);
    this.ending.delete(id as NodeId);
  }

  /** What is to be said of it; null: nothing. */
  see(node: NodeId, effect: AftermathEffect): string | null {
    switch (effect.kind) {
      case 'fence':
        this.agents.push({ node, victim: effect.victim, incarnation: effect.incarnation, isWanted: true });
        return `n${node} fences n${effect.victim}${effect.attempt > 1 ? `, attempt ${effect.attempt}` : ''}`;
      case 'cancelFence':
        for (const agent of this.agents) if (agent.node === node && agent.victim === effect.victim) agent.isWanted = false;
        return `n${node} no longer wants n${effect.victim} fenced`;
      case 'suspend':
        return `n${node}: its application is to suspend`;
      case 'resume':
        return `n${node}: its application resumes`;
      case 'recover':
        return this.#recover(node, effect);
      case 'giveUp':
        this.ending.add(node);
        return `n${node} ends itself: ${effect.reason}`;
      case 'step':
        return showStep(node, effect);
    }
  }

  /** It takes what comes with a token as high as the highest. Returns the one that was higher; null: it is written. */
  write(resource: string, token: readonly number[]): readonly number[] | null {
    const known = this.disk.get(resource) ?? [];
    const differs = known.findIndex((part, place) => part !== token[place]);
    if (differs >= 0 && known[differs]! > (token[differs] ?? 0)) return known;
    this.disk.set(resource, token);
    return null;
  }

  #recover(node: NodeId, { lockspace, slot, victim, since }: Extract<AftermathEffect, { kind: 'recover' }>): string {
    this.works.push({ node, lockspace, slot, since });
    const wrongly = victim !== null && this.zombies.has(victim) ? ' WHICH MAY STILL WRITE' : '';
    return `n${node}: its application is to recover ${nameOfSlot(slot)}${victim === null ? '' : ` of n${victim}`}${wrongly}`;
  }
}

const nameOfSlot = (slot: Slot | null): string => (slot === null ? 'all slots' : `slot ${slot}`);

/** Each step is said where it is done; that it was begun the effect itself has said. */
function showStep(teller: NodeId, { step, state, node, victim, view, words }: StepTaken): string | null {
  if (step === 'dlm') return state === 'begun' ? `recovery of view ${view} passes the start barrier` : null;
  if (state === 'begun') return null;
  // It has come back, or somebody has had it fenced: all hear of it, one of them says so.
  if (step === 'fence' && state === 'ended') return node === victim ? `n${victim} need not be fenced: ${words}` : `n${victim} is fenced, by n${node}: ${words}`;
  if (step === 'fence') return `n${victim} is not fenced: ${words}`;
  if (teller !== node) return null;
  if (step === 'app') return `n${node}: ${victim === null ? 'all' : `what n${victim} left`} is ${state === 'ended' ? '' : 'not '}recovered`;
  return null;
}

/** How what follows a failure stands on a node; nothing: there was none, or none that concerns it. */
export function standingOf(node: DlmNode, { aftermath }: Stack): string[] {
  const { gate, work, application } = aftermath;
  const words: string[] = [];
  if (gate.hasGate) words.push(`gate ${gate.isOpen ? 'open' : 'closed'}`);
  if (gate.hasGate && application !== null) words.push(`application ${gate.state}`);
  const silent = node.fencing.silent();
  if (silent.length > 0) words.push(`has not heard what ${silent.map((id) => `n${id}`).join(' ')} knows`);
  for (const one of node.fencing.latestOpen()) {
    const tried = one.attempts === 0 ? '' : ` (tried ${one.attempts === 1 ? 'once' : `${one.attempts} times`}: ${one.words})`;
    words.push(`n${one.victim} is to be fenced by n${node.fencing.actorOf(one)}${tried}`);
  }
  for (const { slot, victim, by } of work.pending) {
    words.push(`${nameOfSlot(slot)}${victim === null ? '' : ` of n${victim}`} to be recovered by ${by === null ? 'nobody' : `n${by}`}`);
  }
  return words;
}
