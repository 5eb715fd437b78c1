/**
 * The node's socket: HTTP/1.1 for those who look and administer, so that curl and
 * any language can, and sessions for those who lock.
 *
 * Who may connect may do everything: the rights are those of the socket's file.
 * It comes into being with its final mode. A socket that a dead node has left is
 * removed, which is why only the holder of the node's lock may call `listen`.
 */
import { chownSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerHttp } from './http-answers.js';
import { machineGroup, socketAddress, type Places } from './places.js';
import { Session } from './session.js';
import type { Served } from './served.js';
import { listenOnUnix } from './unix-listen.js';

/** How long a request may take to arrive. */
const requestMillis = 10_000;
const sessionsMax = 16_384;

export class ControlServer {
  readonly #at: Served;
  readonly #places: Places;
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  readonly #onIdle: () => void;

  /** `onIdle`: the last session has ended. */
  constructor(at: Served, places: Places, onIdle: () => void) {
    this.#at = at;
    this.#places = places;
    this.#onIdle = onIdle;
    this.#server = createServer({ headersTimeout: requestMillis, requestTimeout: requestMillis }, (request, response) => {
      void answerHttp(this.#at, request, response);
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Throws `DLM_STATE_UNUSABLE`. */
  async listen(): Promise<void> {
    const { socket, scope } = this.#places;
    rmSync(socket, { force: true });
    await listenOnUnix(this.#server, socket, { mode: scope === 'machine' ? 0o660 : 0o600 });
    const group = scope === 'machine' ? machineGroup() : null;
    if (group !== null) chownSync(socketAddress(socket), 0, group);
  }

  /** Answer nobody new. */
  stopListening(): void {
    this.#server.close();
    rmSync(this.#places.socket, { force: true });
  }

  /** End every session. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.end();
    this.#server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: dlm-session\r\n\r\n');
    const session = new Session(this.#at, socket, (ended) => this.#ended(ended));
    this.#sessions.add(session);
    if (head.length > 0) session.read(head);
  }

  #refusal(request: IncomingMessage): string | null {
    if (request.method !== 'GET' || request.url !== '/v1/session') return '404 Not Found';
    if (request.headers.upgrade !== 'dlm-session') return '400 Bad Request';
    if (this.#sessions.size >= sessionsMax) return '503 Too Many Sessions';
    return null;
  }

  #ended(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#onIdle();
  }
}
