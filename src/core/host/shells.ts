/**
 * The shells whose locks a node keeps.
 *
 * They are looked after four times a second, while there are any: the system tells
 * nobody of the end of a process that is not its child.
 */
import { DlmError } from '../base/errors.js';
import type { Places } from './places.js';
import type { Served } from './served.js';
import { clearShellFolders, ShellFolder } from './shell-folder.js';
import type { SpeakerMaker } from './shell-protocol.js';
import { ShellSession, type ShellTerms } from './shell-session.js';
import { unusable } from './system-error.js';

const lookMillis = 250;
const shellsMax = 4_096;

export class Shells {
  readonly #at: Served;
  readonly #places: Places;
  readonly #makeSpeaker: SpeakerMaker | null;
  readonly #onIdle: () => void;
  readonly #sessions = new Set<ShellSession>();
  #timer: NodeJS.Timeout | null = null;

  /** `onIdle`: the last shell has ended. Only the holder of the node's lock may make one. */
  constructor(at: Served, places: Places, makeSpeaker: SpeakerMaker | null, onIdle: () => void) {
    this.#at = at;
    this.#places = places;
    this.#makeSpeaker = makeSpeaker;
    this.#onIdle = onIdle;
    clearShellFolders(places);
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Where a shell finds its pipes: a folder with `requests` and `answers`. Rejects with `DLM_PROTOCOL`, `DLM_TOO_MANY`, `DLM_STATE_UNUSABLE`. */
  async open(lockspace: string, recovery: string | null): Promise<string> {
    const makeSpeaker = this.#makeSpeaker;
    if (makeSpeaker === null) {
      throw new DlmError('DLM_PROTOCOL', 'this node runs inside a program and has no words for shells', 'use the node of dlm node join');
    }
    if (this.#at.isLeaving) throw new DlmError('DLM_NO_NODE', 'the node is leaving and grants no new locks');
    if (this.#sessions.size >= shellsMax) throw new DlmError('DLM_TOO_MANY', `${shellsMax} shells have a session already`);
    const folder = await ShellFolder.make(this.#places);
    this.#sessions.add(await this.#meetIn(folder, { makeSpeaker, lockspace, recovery }));
    this.#timer ??= setInterval(() => this.#look(), lookMillis).unref();
    return folder.path;
  }

  async #meetIn(folder: ShellFolder, terms: Omit<ShellTerms, 'onEnd'>): Promise<ShellSession> {
    try {
      return new ShellSession(this.#at, folder, { ...terms, onEnd: (ended) => this.#ended(ended) });
    } catch (error) {
      await folder.remove();
      throw unusable(`cannot open the pipes in ${folder.path}`, error);
    }
  }

  /** End every session. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#sessions, (session) => session.end()));
    clearShellFolders(this.#places);
  }

  #look(): void {
    for (const session of this.#sessions) session.look();
  }

  #ended(session: ShellSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#onIdle();
  }
}
