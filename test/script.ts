/**
 * Scripts of the tests that run as processes of their own: compiled where all was compiled beforehand
 * (scripts/compile-tests.mjs), for that is most of what it takes to start one; otherwise as they are written.
 */
import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const compiled = `${checkout}.tmp/compiled/`;

/** What follows `node`. `script`: the path of its source. */
export function scriptWords(script: string): string[] {
  if (process.argv[1]?.startsWith(compiled) !== true) return ['--import', import.meta.resolve('tsx'), script];
  return ['--enable-source-maps', compiled + relative(checkout, script).replace(/\.ts$/, '.js')];
}

/** It has a channel for messages, and says what it has to say on our standard error. */
export function forkScript(script: string, options: ForkOptions = { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }): ChildProcess {
  const words = scriptWords(script);
  return fork(words.pop()!, { execArgv: words, ...options });
}
