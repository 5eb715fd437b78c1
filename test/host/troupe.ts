/**
 * Other processes for tests: players that obey, and programs that only live.
 * All of them are gone after the test.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { forkScript } from '../script.js';
import type { Part } from './player.js';

const script = fileURLToPath(new URL('player.ts', import.meta.url));

export interface ActingPlayer extends Part {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  /** What a node that it serves said when it left. */
  readonly left: Promise<string>;
  kill(signal?: NodeJS.Signals): void;
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
  readonly left?: string;
}

export function player(test: TestContext): ActingPlayer {
  const child = forkScript(script);
  const ended = once(child, 'exit');
  test.after(() => child.kill('SIGKILL'));
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  const left = new Promise<string>((resolve) => {
    child.on('message', (reply: Reply) => {
      if (reply.left !== undefined) return resolve(reply.left);
      const caller = waiting.get(reply.id!);
      if (reply.error === undefined) caller?.resolve(reply.result);
      else caller?.reject(Object.assign(new Error(reply.error.message), { code: reply.error.code }));
    });
  });
  const call = (verb: string, words: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      child.send({ id: lastId, verb, words });
    });
  const facts = { pid: child.pid!, ended, left, kill: (signal: NodeJS.Signals = 'SIGKILL') => void child.kill(signal) };
  return new Proxy(facts, {
    get: (target, key) =>
      key === 'then' || Object.hasOwn(target, key)
        ? (target as Record<string | symbol, unknown>)[key]
        : (...words: unknown[]) => call(String(key), words),
  }) as unknown as ActingPlayer;
}

/** A program that does nothing until it is killed; one that is stubborn does not mind being asked to stop. */
export function idler(test: TestContext, isStubborn = false): ChildProcess & { readonly pid: number } {
  const child = isStubborn
    ? spawn('sh', ['-c', 'trap "" TERM; exec sleep 1000'], { stdio: 'ignore' })
    : spawn('sleep', ['1000'], { stdio: 'ignore' });
  test.after(() => child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
