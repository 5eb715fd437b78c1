/**
 * The registrar's socket: lets members in, turns lines into messages and back, and
 * keeps out whoever says something else.
 *
 * Who may connect is decided by the folder and the mode of the socket: only the
 * user whose cluster it is. Opened by the holder of the registrar's lock alone,
 * since it removes the socket that a dead registrar has left.
 */
import { existsSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { DlmError } from '../../base/errors.js';
import { LineReader } from '../line-reader.js';
import { listenOnUnix } from '../unix-listen.js';
import { lineOf, memberLineMax, parseFromMember, type FromRegistrar } from './registrar-protocol.js';
import type { Caller, Desk, Registrar } from './registrar.js';

/** How long somebody may take to say hello. */
const helloMillis = 10_000;
/** How long somebody may take to read what was said last. */
const partingMillis = 5_000;
const linesMax = 512;

export class RegistrarDoor {
  readonly #registrar: Registrar;
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(registrar: Registrar, path: string) {
    this.#registrar = registrar;
    this.#path = path;
    this.#server = createServer((socket) => this.#enter(socket));
    this.#server.maxConnections = linesMax;
  }

  /** Rejects with `DLM_STATE_UNUSABLE`. */
  static async open(registrar: Registrar, path: string): Promise<RegistrarDoor> {
    const door = new RegistrarDoor(registrar, path);
    rmSync(path, { force: true });
    await listenOnUnix(door.#server, path, { backlog: linesMax });
    return door;
  }

  /** Can it still be found? */
  get isInPlace(): boolean {
    return existsSync(this.#path);
  }

  /** Before the registrar's lock is let go: closing removes the socket. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) endSoon(socket);
  }

  #enter(socket: Socket): void {
    this.#sockets.add(socket);
    const reader = new LineReader(memberLineMax);
    const desk = this.#registrar.welcome(callerOn(socket));
    const patience = setTimeout(() => socket.destroy(), helloMillis);
    socket.on('error', () => undefined);
    socket.on('drain', () => this.#registrar.goOn(desk));
    socket.on('data', (chunk: Buffer) => {
      if (socket.writableEnded) return;
      try {
        reader.push(chunk);
        for (let line = reader.next(); line !== null; line = reader.next()) {
          this.#registrar.hear(desk, parseFromMember(line));
          clearTimeout(patience);
        }
      } catch (error) {
        this.#hangUp(socket, desk, error);
      }
    });
    socket.on('close', () => {
      clearTimeout(patience);
      this.#sockets.delete(socket);
      this.#registrar.gone(desk);
    });
  }

  /** Say why, and take nothing of what it has said for a wish any more. */
  #hangUp(socket: Socket, desk: Desk, error: unknown): void {
    if (!(error instanceof DlmError)) throw error;
    const { code, message, hint } = error;
    socket.write(lineOf({ say: 'refused', code, message, hint }));
    endSoon(socket);
    this.#registrar.gone(desk);
  }
}

function callerOn(socket: Socket): Caller {
  return {
    tell: (message: FromRegistrar) => socket.writableEnded || socket.write(lineOf(message)),
    end: () => endSoon(socket),
  };
}

/** What was written is still sent, if it is taken soon: a member that is stopped does not keep the line, or us. */
function endSoon(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end().unref();
  setTimeout(() => socket.destroy(), partingMillis).unref();
}

