/**
 * Fencing a node of this machine: its process and the protected commands it has left
 * behind are killed, and that counts only when all of them are seen to have ended.
 *
 * Who they are is known by pid and starting time, so nobody else is ever killed. Where
 * those mean nothing (another machine, another pid namespace, an earlier run of the
 * machine) it is refused. The node goes first, so that it starts no more of them.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ChildRegister } from './child-register.js';
import { bootId, identify, isAlive, pidNamespace, type ProcessId } from './process-facts.js';
import type { ProcessFamily } from './process-family.js';
import { reasonOf } from './system-error.js';

/** The process that is a node, as it has said of itself. */
export interface NodeProcess extends ProcessId {
  readonly pidNamespace: string | null;
  /** The run of the machine, as `bootId` tells it. */
  readonly boot: string;
  /** The folder where its protected commands are registered. */
  readonly children: string | null;
}

export interface ProcessFenced {
  readonly verdict: 'done' | 'failed' | 'cancelled';
  readonly reason: string;
}

const lookMillis = 20;

/** What a process that is to be fenced must say of itself when it becomes a member. */
export function nodeProcess(children: string | null): NodeProcess {
  return { pid: process.pid, started: identify(process.pid)?.started ?? 0, pidNamespace: pidNamespace(), boot: bootId(), children };
}

/** Why it cannot be fenced from here; null: it can. */
export function whyNotFromHere(victim: NodeProcess | null): string | null {
  if (victim === null) return 'it is not known which process the node is';
  const own = pidNamespace();
  if (own === null || identify(process.pid) === null) return 'the system does not tell about processes';
  if (victim.boot !== bootId()) return 'its process was one of another machine, or of an earlier run of this one';
  if (victim.pidNamespace !== own) return 'its process is in another pid namespace, where pids mean something else';
  if (victim.pid === process.pid) return 'it is this process';
  return null;
}

/** Never rejects. */
export async function fenceProcess(victim: NodeProcess | null, timeoutMillis: number, signal?: AbortSignal): Promise<ProcessFenced> {
  const why = whyNotFromHere(victim);
  if (why !== null) return { verdict: 'failed', reason: why };
  const deadline = performance.now() + timeoutMillis;
  for (;;) {
    if (signal?.aborted === true) return { verdict: 'cancelled', reason: 'cancelled' };
    const left = killed(victim!);
    if (typeof left === 'string') return { verdict: 'failed', reason: left };
    if (left.length === 0) return { verdict: 'done', reason: `process ${victim!.pid} and all it left behind have ended` };
    if (performance.now() >= deadline) {
      return { verdict: 'failed', reason: `process ${left.join(', ')} had not ended ${timeoutMillis / 1000} s after it was killed` };
    }
    await pause(lookMillis);
  }
}

/** Kill who is left: which were they? Or why that cannot be said. */
function killed(victim: NodeProcess): number[] | string {
  if (isAlive(victim)) {
    const refusal = kill(victim.pid);
    return refusal ?? [victim.pid];
  }
  const children = childrenOf(victim);
  if (typeof children === 'string') return children;
  for (const child of children) child.signal('SIGKILL');
  return children.map(({ pid }) => pid);
}

function childrenOf({ children }: NodeProcess): ProcessFamily[] | string {
  if (children === null) return [];
  try {
    return new ChildRegister({ children, scope: 'folder' }).survivors().filter((child) => !child.isGone);
  } catch (error) {
    return `its protected commands are not known: ${reasonOf(error)}`;
  }
}

/** Null: it was told to end, or has just ended by itself. */
function kill(pid: number): string | null {
  try {
    process.kill(pid, 'SIGKILL');
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? null : `process ${pid} cannot be killed: ${reasonOf(error)}`;
  }
}
