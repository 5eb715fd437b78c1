/**
 * A connection to a node's socket that speaks the session protocol by hand, and
 * plain HTTP requests, as curl would make them.
 */
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

const upgrade = 'GET /v1/session HTTP/1.1\r\nHost: dlm\r\nConnection: Upgrade\r\nUpgrade: dlm-session\r\n\r\n';
export const hello = { op: 'hello', version: 1, pid: process.pid, command: 'by hand' };

export type Message = Record<string, unknown> & { readonly error?: { readonly code: string; readonly message: string } };

export class WireTap {
  readonly socket: Socket;
  readonly #lines: Message[] = [];
  #waiting: (() => void)[] = [];
  #rest = '';
  #hasEnded = false;

  constructor(test: TestContext, dir: string) {
    this.socket = connect({ path: `${dir}/control.sock`, allowHalfOpen: true });
    test.after(() => this.socket.destroy());
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text: unknown) => this.#read(String(text)));
    this.socket.on('error', () => undefined);
    for (const end of ['end', 'close']) this.socket.on(end, () => this.#end());
  }

  /** Open a session and say hello. */
  async greet(words: object = hello): Promise<Message> {
    this.socket.write(upgrade);
    this.say(words);
    return (await this.next())!;
  }

  open(): void {
    this.socket.write(upgrade);
  }

  say(...messages: object[]): void {
    this.raw(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  raw(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** The next line; null if the node has ended the connection. */
  async next(): Promise<Message | null> {
    while (this.#lines.length === 0) {
      if (this.#hasEnded) return null;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#lines.shift()!;
  }

  async ask(message: object): Promise<Message | null> {
    this.say(message);
    return this.next();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as Message);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #end(): void {
    this.#hasEnded = true;
    this.socket.end();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown> & { readonly error?: { code: string; message: string; hint: string; exit: number } };
}

export function http(dir: string, method: string, path: string, body?: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: `${dir}/control.sock`, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        const isJson = response.headers['content-type'] === 'application/json';
        resolve({ status: response.statusCode ?? 0, text, body: isJson ? (JSON.parse(text) as HttpAnswer['body']) : {} });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
