/**
 * Runs a program that is not ours so that, whatever it does, it ends and harms nobody:
 * without a shell, in a session of its own, with an environment of three fixed
 * variables, within a time, and with so much of its output kept and no more.
 *
 * What it is told goes to its standard input, since arguments and environment can be
 * read by others on the machine. When it ends, or has to, all of its session ends with
 * it. A process that has made a session of its own is no longer part of it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { identify } from './process-facts.js';
import { ProcessFamily } from './process-family.js';
import { reasonOf } from './system-error.js';

export interface BoundedProgram {
  /** A full path. */
  readonly path: string;
  readonly words?: readonly string[];
  readonly input: string;
  readonly timeoutMillis: number;
  /** Of each of the two outputs, in bytes. */
  readonly outputMax: number;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProgramEnd {
  readonly how: 'exited' | 'killed' | 'timed out' | 'cancelled' | 'not started';
  /** Null: it did not come to an exit code. */
  readonly exit: number | null;
  /** In a few words, for people; of an exit its code. */
  readonly words: string;
  readonly millis: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Bytes of output that were not kept. */
  readonly bytesLost: number;
}

/** Where programs look for others, and the language they speak: all they are told of the machine. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/' };

/** After its end, how long its output may still be on the way; and after a KILL, its end. */
const restMillis = 500;
const dyingMillis = 5_000;
const lookMillis = 10;

/** Never rejects: what went wrong is part of the answer. */
export function runBounded(program: BoundedProgram): Promise<ProgramEnd> {
  return new Promise((resolve) => new BoundedRun(program, resolve).begin());
}

class BoundedRun {
  readonly #program: BoundedProgram;
  readonly #began = performance.now();
  readonly #stdout: Kept;
  readonly #stderr: Kept;
  readonly #abort = (): void => this.#stop('cancelled');
  readonly #timers: NodeJS.Timeout[] = [];
  #resolve: ((end: ProgramEnd) => void) | null;
  #child: ChildProcess | null = null;
  #family: ProcessFamily | null = null;
  /** Why we have ended it. */
  #stopped: 'timed out' | 'cancelled' | null = null;

  constructor(program: BoundedProgram, resolve: (end: ProgramEnd) => void) {
    this.#program = program;
    this.#resolve = resolve;
    this.#stdout = new Kept(program.outputMax);
    this.#stderr = new Kept(program.outputMax);
  }

  begin(): void {
    const { path, words = [], input, timeoutMillis, signal } = this.#program;
    if (signal?.aborted === true) return this.#end('cancelled', null, 'cancelled before it began');
    let child: ChildProcess;
    try {
      child = spawn(path, words, { detached: true, cwd: '/', env: environment, stdio: 'pipe' });
    } catch (error) {
      return this.#end('not started', null, `could not be started: ${reasonOf(error)}`);
    }
    this.#child = child;
    child.once('error', (error) => this.#end('not started', null, `could not be started: ${reasonOf(error)}`));
    if (child.pid === undefined) return;
    const facts = identify(child.pid);
    this.#family = facts === null ? null : new ProcessFamily({ ...facts, session: child.pid }, '');
    child.stdout!.on('data', (bytes: Buffer) => this.#stdout.add(bytes));
    child.stderr!.on('data', (bytes: Buffer) => this.#stderr.add(bytes));
    // A program that does not read what it is told is judged by how it ends.
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input);
    child.once('exit', () => this.#hasExited());
    child.once('close', (code, name) => this.#whenAllAreGone(() => this.#hasClosed(code, name)));
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#later(timeoutMillis, () => this.#stop('timed out'));
  }

  #stop(why: 'timed out' | 'cancelled'): void {
    if (this.#stopped !== null || this.#resolve === null) return;
    this.#stopped = why;
    this.#kill();
    this.#later(dyingMillis, () => this.#end(why, null, `${this.#stopWords(why)}, and could not be killed`));
  }

  /** Whoever of its session is left goes too, and with them whoever keeps its output open. */
  #hasExited(): void {
    this.#kill();
    this.#later(restMillis, () => {
      this.#child?.stdout?.destroy();
      this.#child?.stderr?.destroy();
    });
  }

  /** Whoever has been killed may still be about to end. */
  #whenAllAreGone(then: () => void, left = dyingMillis): void {
    if (left <= 0 || this.#family === null || this.#family.isGone) return then();
    this.#kill();
    this.#later(lookMillis, () => this.#whenAllAreGone(then, left - lookMillis));
  }

  #hasClosed(code: number | null, name: NodeJS.Signals | null): void {
    if (this.#stopped !== null) this.#end(this.#stopped, null, this.#stopWords(this.#stopped));
    else if (code === null) this.#end('killed', null, `was ended by ${name ?? 'a signal'}`);
    else this.#end('exited', code, `exit ${code}`);
  }

  #stopWords(why: 'timed out' | 'cancelled'): string {
    return why === 'cancelled' ? 'cancelled' : `was not done after ${this.#program.timeoutMillis / 1000} s and was ended`;
  }

  /** Twice, for those who were being started while the first was under way. */
  #kill(): void {
    this.#family?.signal('SIGKILL');
    this.#family?.signal('SIGKILL');
  }

  #later(millis: number, then: () => void): void {
    this.#timers.push(setTimeout(then, millis));
  }

  #end(how: ProgramEnd['how'], exit: number | null, words: string): void {
    if (this.#resolve === null) return;
    this.#program.signal?.removeEventListener('abort', this.#abort);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#resolve({
      how,
      exit,
      words,
      millis: performance.now() - this.#began,
      stdout: this.#stdout.text,
      stderr: this.#stderr.text,
      bytesLost: this.#stdout.lost + this.#stderr.lost,
    });
    this.#resolve = null;
  }
}

/** The first bytes of an output. */
class Kept {
  readonly #max: number;
  readonly #parts: Buffer[] = [];
  #length = 0;
  lost = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(bytes: Buffer): void {
    const kept = bytes.subarray(0, this.#max - this.#length);
    this.#parts.push(kept);
    this.#length += kept.length;
    this.lost += bytes.length - kept.length;
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}
