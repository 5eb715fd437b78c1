/**
 * Where a shell and its node meet: a folder of the node with two named pipes in
 * it, one for requests and one for answers. Subshells add pipes of their own.
 *
 * Whoever may use the node's socket may use the folder, and nobody else. The pipes
 * are opened so that nothing ever blocks: the node reads requests and sees the end
 * when no process has them open for writing any more; a shell sees the end of
 * its answers when the node is gone.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, constants, fstatSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { prepareFolder, type Places } from './places.js';
import { unusable } from './system-error.js';

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants;

const shellsFolder = (places: Places): string => join(places.run, 'shells');

/** What an earlier node has left; its shells have no session any more. Only the holder of the node's lock may call it. */
export function clearShellFolders(places: Places): void {
  rmSync(shellsFolder(places), { recursive: true, force: true });
}

export class ShellFolder {
  private constructor(readonly path: string) {}

  /** Rejects with `DLM_STATE_UNUSABLE`. */
  static async make(places: Places): Promise<ShellFolder> {
    prepareFolder(shellsFolder(places), places.scope);
    const path = join(shellsFolder(places), randomBytes(6).toString('hex'));
    const pipes = [join(path, 'requests'), join(path, 'answers')];
    try {
      mkdirSync(path, { mode: 0o700 });
      await promisify(execFile)('mkfifo', ['-m', '600', ...pipes]);
      if (places.scope === 'machine') share(path, pipes, statSync(places.socket).gid);
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw unusable(`cannot make pipes in ${path}`, error);
    }
    return new ShellFolder(path);
  }

  openRequests(): Socket {
    return new Socket({ fd: openSync(join(this.path, 'requests'), O_RDONLY | O_NONBLOCK), readable: true, writable: false });
  }

  openAnswers(): AnswerPipe {
    return new AnswerPipe(openSync(join(this.path, 'answers'), O_RDWR | O_NONBLOCK));
  }

  /** The pipe that a subshell has made for itself and reads; it loses its name. Null if there is none. */
  openAnswersFor(pid: number): AnswerPipe | null {
    const path = join(this.path, String(pid));
    try {
      const file = openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
      rmSync(path, { force: true });
      if (fstatSync(file).isFIFO()) return new AnswerPipe(file);
      closeSync(file);
    } catch {
      // It has gone before it was answered.
    }
    return null;
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * The way back to one process.
 *
 * It takes far more than the answer to the one thing that a process can ask at a
 * time; where that is not enough, nobody reads, and it is closed. Nothing is
 * kept for later, so a line is on its way when `write` returns.
 */
export class AnswerPipe {
  #file: number | null;

  constructor(file: number) {
    this.#file = file;
  }

  get isClosed(): boolean {
    return this.#file === null;
  }

  write(line: string): void {
    if (this.#file === null) return;
    try {
      const bytes = Buffer.from(line);
      if (writeSync(this.#file, bytes) < bytes.length) this.close();
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

/** The group of the socket may use the pipes too. */
function share(folder: string, pipes: readonly string[], group: number): void {
  for (const path of [folder, ...pipes]) chownSync(path, process.geteuid?.() ?? 0, group);
  for (const pipe of pipes) chmodSync(pipe, 0o660);
  chmodSync(folder, 0o770);
}
