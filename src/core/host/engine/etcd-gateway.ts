/**
 * How etcd is spoken with: its JSON gateway, over HTTP, at one of several endpoints.
 *
 * The engine asks it, and so does whoever follows a watch. It knows nothing of
 * members. What is asked goes to the endpoint that answered last, and if that one
 * does not answer in time, to the others in turn. An answer is one of three:
 *
 *     what was asked for
 *     EtcdRefusal   etcd has understood, and will not
 *     EtcdSilence   nobody answered: it may have been done, and it may still be done
 *
 * So whatever is asked here must do no harm when it is done twice, or late. All
 * endpoints must belong to one etcd: two of them would make two clusters of ours, so
 * an endpoint of another one counts as silent.
 *
 * The password is read when it is needed and is in nothing that is thrown or logged.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Pool } from 'undici';
import { DlmError } from '../../base/errors.js';

export interface GatewayOptions {
  /** `http://HOST:PORT` or `https://HOST:PORT`: members of one etcd, not something that spreads requests over them. */
  readonly endpoints: readonly string[];
  readonly user?: string;
  /** Its first line is the password. */
  readonly passwordFile?: string;
  /** Files: whom to trust, in the place of those whom the system trusts; our certificate and its key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Header {
  readonly cluster_id?: string;
  readonly revision?: string;
  readonly raft_term?: string;
}

export interface Answer {
  readonly header?: Header;
}

/** etcd has understood, and will not; `status` is that of gRPC. */
export class EtcdRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  get isOfRights(): boolean {
    return this.status === 7 || this.status === 16 || /auth|user name is empty/.test(this.message);
  }
}

/** Nobody answered, for these reasons. */
export class EtcdSilence extends Error {}

/** Refusals of the token: it has run out, or the rights were changed since. A new one may do. */
const isOfToken = ({ status, message }: EtcdRefusal): boolean => status === 16 || /revision in header is old|user name is empty/.test(message);
/** Cancelled, unknown, deadline exceeded, too much at once, aborted, internal, unavailable: others may do better. */
const passing = new Set([1, 2, 4, 10, 13, 14]);

const answerMax = 1 << 26;
const endpointsMax = 32;

export class EtcdGateway {
  readonly endpoints: readonly Endpoint[];
  #at = 0;
  readonly #identity: Identity;

  /** Throws `DLM_USAGE`, or `DLM_NOT_PERMITTED` for a file that cannot be read. */
  constructor(options: GatewayOptions, requestMillis: number) {
    const { endpoints } = options;
    if (endpoints.length === 0 || endpoints.length > endpointsMax) throw new DlmError('DLM_USAGE', `etcd needs 1 to ${endpointsMax} endpoints, not ${endpoints.length}`);
    if ((options.user === undefined) !== (options.passwordFile === undefined)) throw new DlmError('DLM_USAGE', 'a user of etcd and a file with the password go together');
    if ((options.cert === undefined) !== (options.key === undefined)) throw new DlmError('DLM_USAGE', 'a certificate for etcd and its key go together');
    this.#identity = new Identity(options);
    const tls = { ...fileAt('ca', options.ca), ...fileAt('cert', options.cert), ...fileAt('key', options.key) };
    this.endpoints = endpoints.map((text) => new Endpoint(originOf(text, options.user !== undefined), tls, this.#identity, requestMillis));
  }

  /** The one that answered last. */
  get current(): Endpoint {
    return this.endpoints[this.#at]!;
  }

  call<Found extends Answer>(path: string, body: object): Promise<Found> {
    return this.turn((endpoint) => endpoint.call(path, body));
  }

  /**
   * Do this at one endpoint after the other, until it is done at one. Rejects with `EtcdRefusal`, or with
   * `EtcdSilence` if it was done at none.
   */
  async turn<Found>(act: (endpoint: Endpoint) => Promise<Found>): Promise<Found> {
    const first = this.#at;
    const reasons: string[] = [];
    for (let tried = 0; tried < this.endpoints.length; tried += 1) {
      const at = (first + tried) % this.endpoints.length;
      const endpoint = this.endpoints[at]!;
      try {
        const found = await act(endpoint);
        this.#at = at;
        return found;
      } catch (error) {
        if (!(error instanceof EtcdSilence)) throw error;
        reasons.push(`${endpoint.origin}: ${error.message}`);
      }
    }
    this.#at = (first + 1) % this.endpoints.length;
    throw new EtcdSilence(reasons.join('; '));
  }

  close(): void {
    for (const endpoint of this.endpoints) endpoint.close();
  }
}

/** Whom we are taken for, and which etcd it is: the same at all endpoints. */
class Identity {
  readonly #options: GatewayOptions;
  token: string | null = null;
  #cluster: string | null = null;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** What to say to be given a token; null if nobody is to be named. */
  credentials(): { name: string; password: string } | null {
    const { user, passwordFile } = this.#options;
    if (user === undefined || passwordFile === undefined) return null;
    return { name: user, password: readOrRefuse(passwordFile).toString('utf8').split(/\r?\n/)[0]! };
  }

  /** Is this an answer of the etcd that answered first? */
  recognizes({ header }: Answer): boolean {
    const cluster = header?.cluster_id ?? null;
    this.#cluster ??= cluster;
    return cluster === null || cluster === this.#cluster;
  }
}

export class Endpoint {
  readonly origin: string;
  readonly #pool: Pool;
  readonly #identity: Identity;
  readonly #requestMillis: number;

  constructor(origin: string, tls: object, identity: Identity, requestMillis: number) {
    this.origin = origin;
    this.#identity = identity;
    this.#requestMillis = requestMillis;
    this.#pool = new Pool(origin, { connect: { ...tls, timeout: requestMillis } });
  }

  /** Rejects with `EtcdRefusal` or `EtcdSilence`. */
  async call<Found extends Answer>(path: string, body: object): Promise<Found> {
    return this.#asMyself(async () => {
      const signal = AbortSignal.timeout(this.#requestMillis);
      const answer = await this.#post(path, body, signal, async ({ statusCode, body: stream }) => {
        const parts: Buffer[] = [];
        let length = 0;
        for await (const part of stream as AsyncIterable<Buffer>) {
          length += part.length;
          if (length > answerMax) throw new EtcdSilence('the answer is too long');
          parts.push(part);
        }
        return judged(statusCode, Buffer.concat(parts).toString('utf8'));
      });
      if (!this.#identity.recognizes(answer as Answer)) throw new EtcdSilence('this is another etcd than that of the other endpoints');
      return answer as Found;
    });
  }

  /**
   * A stream of answers, until it ends, which is no news, or `signal` ends it. Rejects as `call`, later ones too.
   * That nothing comes is for the caller to judge.
   */
  async stream<Found>(path: string, body: object, signal: AbortSignal, hear: (answer: Found) => void): Promise<void> {
    await this.#asMyself(() =>
      this.#post(path, body, signal, async ({ statusCode, body: stream }) => {
        let rest = '';
        const decoder = new TextDecoder();
        for await (const part of stream as AsyncIterable<Buffer>) {
          const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
          rest = lines.pop()!;
          if (rest.length > answerMax) throw new EtcdSilence('the answer is too long');
          for (const line of lines) if (line !== '') hear(judged(statusCode, line) as Found);
        }
        if (rest !== '') hear(judged(statusCode, rest) as Found);
      }),
    );
  }

  close(): void {
    // Whatever is still under way ends with an error that its caller is given.
    void this.#pool.destroy().catch(() => undefined);
  }

  /** With the token we have; if etcd does not take it, once with a new one. */
  async #asMyself<Found>(ask: () => Promise<Found>): Promise<Found> {
    if (this.#identity.token === null) await this.#authenticate();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EtcdRefusal) || !isOfToken(error) || this.#identity.credentials() === null) throw error;
    }
    await this.#authenticate();
    return ask();
  }

  async #authenticate(): Promise<void> {
    const credentials = this.#identity.credentials();
    if (credentials === null) return;
    this.#identity.token = null;
    const signal = AbortSignal.timeout(this.#requestMillis);
    const answer = await this.#post('/v3/auth/authenticate', credentials, signal, async ({ statusCode, body }) => judged(statusCode, await body.text()));
    const { token } = answer as { token?: unknown };
    if (typeof token !== 'string') throw new EtcdSilence('etcd gave no token');
    this.#identity.token = token;
  }

  async #post<Found>(path: string, body: object, signal: AbortSignal, read: (response: Response) => Promise<Found>): Promise<Found> {
    const { token } = this.#identity;
    try {
      const response = await this.#pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: token }) },
        body: JSON.stringify(body),
        signal,
        headersTimeout: this.#requestMillis,
        bodyTimeout: 0,
      });
      return await read(response);
    } catch (error) {
      if (error instanceof EtcdRefusal || error instanceof EtcdSilence) throw error;
      const reason = reasonOf(error as Error, this.#requestMillis);
      // A server that wants a certificate may only hang up.
      const isHungUp = (error as { code?: string }).code === 'UND_ERR_SOCKET' && this.origin.startsWith('https:');
      throw new EtcdSilence(isHungUp ? `${reason}; it may want a certificate of ours` : reason);
    }
  }
}

type Response = Awaited<ReturnType<Pool['request']>>;

/** An answer as it was said; throws what it is if it is none. */
function judged(statusCode: number, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EtcdSilence(`what answers is not etcd's JSON gateway (HTTP status ${statusCode})`);
  }
  if (typeof value !== 'object' || value === null) throw new EtcdSilence('the answer is no object');
  const { error, code, message } = value as { error?: unknown; code?: unknown; message?: unknown };
  // In a stream the error is an object of its own.
  if (typeof error === 'object' && error !== null) {
    const { grpc_code: status, message: words } = error as { grpc_code?: number; message?: string };
    throw refusalOf(status ?? 2, words ?? 'error');
  }
  if (error !== undefined || statusCode !== 200) throw refusalOf(Number(code ?? 2), String(message ?? error ?? `HTTP status ${statusCode}`));
  return value;
}

function refusalOf(status: number, message: string): Error {
  const words = message.replace(/^etcdserver: /, '').slice(0, 300);
  return passing.has(status) ? new EtcdSilence(words) : new EtcdRefusal(status, words);
}

function reasonOf(error: Error & { code?: string; errors?: Error[] }, millis: number): string {
  if (error.name === 'TimeoutError' || error.name === 'HeadersTimeoutError' || error.name === 'ConnectTimeoutError') return `no answer in ${millis} ms`;
  // An AggregateError, of a host with several addresses, has no words of its own.
  const words = error.message || (error.errors ?? []).map(({ message }) => message).join(', ');
  return words === '' ? (error.code ?? error.name) : words;
}

/** Throws `DLM_USAGE`. What is wrong with it is said without its text where that may hold a password. */
function originOf(text: string, withPassword: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOne = url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '' && url.hash === '';
  if (url !== null && (url.username !== '' || url.password !== '')) {
    throw new DlmError('DLM_USAGE', 'an endpoint of etcd has no user and no password in it', 'name the user by itself, and a file that holds the password');
  }
  if (!isOne) throw new DlmError('DLM_USAGE', `${JSON.stringify(text)} is no endpoint of etcd`, 'write it as https://HOST:PORT or http://HOST:PORT');
  if (withPassword && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new DlmError('DLM_USAGE', `a password would go to ${url.origin} for everybody on the way to read`, 'use https:// for endpoints on other machines');
  }
  return url.origin;
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function fileAt(name: 'ca' | 'cert' | 'key', path: string | undefined): Partial<Record<typeof name, Buffer>> {
  return path === undefined ? {} : { [name]: readOrRefuse(path) };
}

function readOrRefuse(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new DlmError('DLM_NOT_PERMITTED', `cannot read ${path} (${code})`, 'see that it is there, and that the node may read it');
  }
}
