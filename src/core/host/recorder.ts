/**
 * Everything that happens to a node, in a file, so that it can be lived through again
 * (`dlm sim replay`). Lines are written as they come, without waiting for the disk: a
 * crash of the program loses nothing, one of the machine the last ones.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import type { Effect } from '../node/effect.js';
import type { Input } from '../node/input.js';
import { writeHead, writeLine } from '../node/journal.js';
import type { NodeConfig } from '../node/node.js';
import { reasonOf } from './system-error.js';

export class Recorder {
  readonly #file: number;
  readonly #cookies = new Map<unknown, number>();
  #lastCookie = 0;
  #hasFailed = false;

  /** The file must be new. Throws `DLM_STATE_UNUSABLE`. */
  constructor(path: string, config: NodeConfig) {
    const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
    try {
      this.#file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600);
    } catch (error) {
      throw new DlmError('DLM_STATE_UNUSABLE', `cannot record into ${path}: ${reasonOf(error)}`, 'name a file that does not exist yet');
    }
    this.#write(writeHead(config));
  }

  record(now: number, input: Input, effects: readonly Effect[]): void {
    this.#write(writeLine(now, input, effects, this.#numberOf));
    for (const effect of effects) if (effect.kind === 'complete' && effect.mode < 0) this.#cookies.delete(effect.cookie);
  }

  close(): void {
    closeSync(this.#file);
  }

  readonly #numberOf = (cookie: unknown): number => {
    let number = this.#cookies.get(cookie);
    if (number === undefined) this.#cookies.set(cookie, (number = this.#lastCookie += 1));
    return number;
  };

  /** A node goes on when it cannot be recorded. */
  #write(line: string): void {
    if (this.#hasFailed) return;
    try {
      writeSync(this.#file, `${line}\n`);
    } catch {
      this.#hasFailed = true;
    }
  }
}
