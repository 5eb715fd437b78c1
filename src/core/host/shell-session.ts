/**
 * One shell that owns locks: its functions ask through a pair of pipes.
 *
 * The locks end when the shell does. That shows in two ways, and the first one
 * counts: nobody has the pipe of requests open any more; or the process is gone,
 * though children that it has started may still have the pipe. A shell that never
 * says hello is forgotten after a while.
 */
import type { Socket } from 'node:net';
import { LineReader } from './line-reader.js';
import { NodeClient } from './node-client.js';
import { commandOf, identify, isAlive, type ProcessId } from './process-facts.js';
import type { Served } from './served.js';
import { ShellChannel } from './shell-channel.js';
import type { AnswerPipe, ShellFolder } from './shell-folder.js';
import { ShellPort } from './shell-port.js';
import { parseShellLine, shellLineMax, type ShellRequest, type ShellSpeaker, type SpeakerMaker } from './shell-protocol.js';

/** How long a shell may take to say hello. */
const helloMillis = 30_000;
/** Subshells of one shell that may be known at a time. */
const channelsMax = 1_024;

/** What a session is made for. */
export interface ShellTerms {
  readonly makeSpeaker: SpeakerMaker;
  readonly lockspace: string;
  /** The recovery that the shell belongs to; null: none. */
  readonly recovery: string | null;
  readonly onEnd: (session: ShellSession) => void;
}

/** A shell that has said hello. */
interface Greeted {
  readonly process: ProcessId;
  readonly client: NodeClient;
  readonly speak: ShellSpeaker;
}

export class ShellSession {
  readonly #at: Served;
  readonly #folder: ShellFolder;
  readonly #makeSpeaker: SpeakerMaker;
  readonly #lockspace: string;
  readonly #recovery: string | null;
  readonly #onEnd: (session: ShellSession) => void;
  readonly #requests: Socket;
  readonly #answers: AnswerPipe;
  readonly #reader = new LineReader(shellLineMax);
  readonly #helloTimer: NodeJS.Timeout;
  readonly #channels = new Map<number, ShellChannel>();
  #greeted: Greeted | null = null;
  #ending: Promise<void> | null = null;

  constructor(at: Served, folder: ShellFolder, { makeSpeaker, lockspace, recovery, onEnd }: ShellTerms) {
    this.#at = at;
    this.#lockspace = lockspace;
    this.#recovery = recovery;
    this.#folder = folder;
    this.#makeSpeaker = makeSpeaker;
    this.#onEnd = onEnd;
    this.#answers = folder.openAnswers();
    this.#requests = folder.openRequests();
    this.#requests.on('data', (chunk: Buffer) => this.#read(chunk));
    for (const end of ['end', 'error', 'close']) this.#requests.on(end, () => void this.end());
    this.#helloTimer = setTimeout(() => void this.end(), helloMillis);
    this.#helloTimer.unref();
  }

  /** Are those who ask still there? */
  look(): void {
    if (this.#greeted === null || this.#ending !== null) return;
    if (this.#answers.isClosed || !isAlive(this.#greeted.process)) return void this.end();
    for (const [asker, channel] of this.#channels) {
      if (asker === this.#greeted.process.pid || !channel.isOver) continue;
      channel.end();
      this.#channels.delete(asker);
    }
  }

  /** Returns when its locks have ended. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#helloTimer);
    this.#requests.destroy();
    await this.#greeted?.client.close();
    // Those who were waiting are answered first.
    await new Promise((resolve) => setImmediate(resolve));
    for (const channel of this.#channels.values()) channel.end();
    this.#answers.close();
    await this.#folder.remove();
    this.#onEnd(this);
  }

  #read(chunk: Buffer): void {
    this.#reader.push(chunk);
    try {
      for (let line = this.#reader.next(); line !== null && this.#ending === null; line = this.#reader.next()) this.#hear(line);
    } catch (error) {
      this.#at.log(`a shell is cut off: ${(error as Error).message}`);
      void this.end();
    }
  }

  #hear(line: Buffer): void {
    const request = parseShellLine(line);
    if (request === null) return;
    if (this.#greeted === null) this.#greet(request);
    else if (request.verb === 'join') this.#join(request, this.#greeted);
    else this.#channels.get(request.asker)?.hear(request);
  }

  #greet({ asker, serial, verb }: ShellRequest): void {
    const process = verb === 'hello' ? identify(asker) : null;
    if (process === null) return void this.end();
    clearTimeout(this.#helloTimer);
    const owner = this.#at.host.addOwner('session', asker, commandOf(asker));
    const client = new NodeClient(new ShellPort(this.#at, owner, this.#recovery));
    this.#greeted = { process, client, speak: this.#makeSpeaker({ client, pid: asker, lockspace: this.#lockspace }) };
    this.#admit(process, this.#answers, serial, this.#greeted);
  }

  /** A subshell has made a pipe for its answers. */
  #join({ asker, serial }: ShellRequest, greeted: Greeted): void {
    const process = identify(asker);
    const answers = process === null || this.#channels.size >= channelsMax ? null : this.#folder.openAnswersFor(asker);
    if (process === null || answers === null) return;
    this.#channels.get(asker)?.end();
    this.#admit(process, answers, serial, greeted);
  }

  #admit(process: ProcessId, answers: AnswerPipe, serial: number, { speak }: Greeted): void {
    const channel = new ShellChannel(process, answers, speak);
    this.#channels.set(process.pid, channel);
    channel.welcome(serial);
  }
}
