/**
 * What the control server answers to plain requests: one row a path.
 *
 * Answers are JSON and so are errors, which carry the code, the hint and the exit
 * code of the command line. Sessions are not made here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DlmError, type ErrorCode } from '../base/errors.js';
import * as inspect from './inspect.js';
import { joinLockspace, removeLockspace } from './local-port.js';
import { metrics } from './metrics.js';
import type { Served } from './served.js';
import { describeError } from './session.js';
import { filterIn } from './session-answers.js';
import { lineMax, LineRefused, parseObject } from './session-protocol.js';

interface Asked {
  readonly at: Served;
  /** What the path names; empty where it names nothing. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  /** Aborted when the caller hangs up. */
  readonly gone: AbortSignal;
  /** The answer must be out before the node is gone. */
  reply(value: object): void;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** The answer, or nothing if it has been given. */
  answer(asked: Asked): unknown;
}

const routes: readonly Route[] = [
  { method: 'GET', path: /^\/v1\/status$/, answer: ({ at }) => at.status() },
  { method: 'GET', path: /^\/v1\/metrics$/, answer: ({ at }) => metrics(at) },
  { method: 'GET', path: /^\/v1\/lockspaces$/, answer: ({ at }) => inspect.summaries(at.host) },
  { method: 'GET', path: /^\/v1\/lockspaces\/([^/]+)$/, answer: ({ at, name }) => inspect.content(at.host, name) },
  { method: 'GET', path: /^\/v1\/locks$/, answer: ({ at, query }) => inspect.locks(at.host, filterOf(query)) },
  { method: 'POST', path: /^\/v1\/lockspaces$/, answer: create },
  { method: 'DELETE', path: /^\/v1\/lockspaces\/([^/]+)$/, answer: remove },
  { method: 'POST', path: /^\/v1\/leave$/, answer: leave },
];

export async function answerHttp(at: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const url = new URL(request.url ?? '/', 'http://dlm');
    const { route, name } = routeFor(request.method ?? '', url.pathname);
    const body = request.method === 'POST' ? await bodyOf(request) : {};
    const reply = (value: object): void => send(response, 200, value);
    const value = await route.answer({ at, name, query: url.searchParams, body, gone: gone.signal, reply });
    if (value !== undefined) send(response, 200, value);
  } catch (error) {
    sendError(response, error);
  }
}

function routeFor(method: string, path: string): { route: Route; name: string } {
  const there = routes.filter((route) => route.path.test(path));
  const route = there.find((one) => one.method === method);
  if (route !== undefined) return { route, name: nameIn(route.path.exec(path)?.[1] ?? '') };
  if (there.length > 0) throw new HttpError(405, `${path} takes ${there.map((one) => one.method).join(' or ')}`);
  if (path === '/v1/session') throw new HttpError(426, 'a session is opened with: Connection: Upgrade, Upgrade: dlm-session');
  throw new HttpError(404, 'there is no such path; see docs/protocol.md');
}

function nameIn(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new HttpError(400, 'the name in the path is badly encoded');
  }
}

function filterOf(query: URLSearchParams): ReturnType<typeof filterIn> {
  for (const key of query.keys()) {
    if (!['lockspace', 'name', 'nameHex', 'orphans'].includes(key)) throw new HttpError(400, 'locks are chosen by lockspace, name or nameHex, and orphans=1');
  }
  return filterIn({
    lockspace: query.get('lockspace'),
    name: query.get('name'),
    nameHex: query.get('nameHex'),
    orphansOnly: query.get('orphans') === '1',
  });
}

function create({ at, body }: Asked): object {
  const { name, valueLength, order, isNew = false, ...others } = body;
  const isRight =
    typeof name === 'string' &&
    (valueLength === undefined || typeof valueLength === 'number') &&
    (order === undefined || typeof order === 'string') &&
    typeof isNew === 'boolean' &&
    Object.keys(others).length === 0;
  if (!isRight) throw new HttpError(400, 'give {"name": "…", "valueLength": 32, "order": "fence-first", "isNew": false}, the last three if wanted');
  return joinLockspace(at.host, name, { ...(valueLength === undefined ? {} : { valueLength }), ...(order === undefined ? {} : { order }), isNew });
}

function remove({ at, name, query }: Asked): object {
  removeLockspace(at.host, name, query.get('force') === '1');
  return {};
}

async function leave({ at, body, gone, reply }: Asked): Promise<void> {
  const { force = false, drain = false, ...others } = body;
  if (typeof force !== 'boolean' || typeof drain !== 'boolean' || Object.keys(others).length > 0) {
    throw new HttpError(400, 'give {"force": false, "drain": false}, or nothing');
  }
  await at.leave({ force, drain }, { gone, agreed: () => reply({}) });
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > lineMax) throw new HttpError(413, `a request has at most ${lineMax} bytes`);
    chunks.push(chunk);
  }
  return length === 0 ? {} : parseObject(Buffer.concat(chunks));
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const isText = typeof value === 'string';
  const body = isText ? value : `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'Content-Type': isText ? 'text/plain; version=0.0.4' : 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** An error with a status of its own. */
class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  DLM_USAGE: 400,
  DLM_PROTOCOL: 400,
  DLM_NAME_INVALID: 400,
  DLM_NOT_PERMITTED: 403,
  DLM_LOCK_UNKNOWN: 404,
  DLM_LOCKSPACE_UNKNOWN: 404,
  DLM_LOCKSPACE_EXISTS: 409,
  DLM_LOCKSPACE_IN_USE: 409,
  DLM_NODE_IN_USE: 409,
  DLM_NO_NODE: 503,
};

function sendError(response: ServerResponse, thrown: unknown): void {
  const error = errorOf(thrown);
  const status = thrown instanceof HttpError ? thrown.status : (statuses[error.code] ?? 500);
  if (status === 413) response.setHeader('Connection', 'close');
  send(response, status, { error: describeError(error) });
}

function errorOf(thrown: unknown): DlmError {
  if (thrown instanceof DlmError) return thrown;
  if (thrown instanceof LineRefused) return thrown.reason;
  if (thrown instanceof HttpError) return new DlmError('DLM_PROTOCOL', thrown.message);
  return new DlmError('DLM_INTERNAL', String(thrown));
}
