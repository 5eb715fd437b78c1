/**
 * What the control server answers to plain requests: one row a path.
 *
 * Answers are JSON and so are errors, which carry the code, the hint and the exit
 * code of the command line. Sessions are not made here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DlmError, type ErrorCode } from '../base/errors.js';
import { acknowledge, fenceByHand, levelsFor } from './fence-desk.js';
import * as inspect from './inspect.js';
import { joinLockspace, removeLockspace } from './local-port.js';
import { metrics } from './metrics.js';
import { planRecovery } from './recovery-plan.js';
import { runRecovery } from './recovery-run.js';
import { recoveryStatus } from './recovery-status.js';
import { watchRecovery } from './recovery-watch.js';
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
  /** One of several answers, a line each. */
  tell(value: object): void;
  /** That was the last of them. */
  end(): void;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** The answer, or nothing if it has been given. */
  answer(asked: Asked): unknown;
}

const routes: readonly Route[] = [
  { method: 'GET', path: /^\/v1\/status$/, answer: ({ at }) => at.status(null) },
  { method: 'GET', path: /^\/v1\/metrics$/, answer: ({ at }) => metrics(at) },
  { method: 'GET', path: /^\/v1\/lockspaces$/, answer: ({ at }) => inspect.summaries(at.host) },
  { method: 'GET', path: /^\/v1\/lockspaces\/([^/]+)$/, answer: ({ at, name }) => inspect.content(at.host, name) },
  { method: 'GET', path: /^\/v1\/locks$/, answer: ({ at, query }) => inspect.locks(at.host, filterOf(query)) },
  { method: 'POST', path: /^\/v1\/lockspaces$/, answer: create },
  { method: 'DELETE', path: /^\/v1\/lockspaces\/([^/]+)$/, answer: remove },
  { method: 'POST', path: /^\/v1\/leave$/, answer: leave },
  { method: 'GET', path: /^\/v1\/recovery$/, answer: ({ at }) => recoveryStatus(at.host) },
  { method: 'GET', path: /^\/v1\/recovery\/plan\/(\d+)$/, answer: ({ at, name }) => planRecovery(at.host, Number(name)) },
  { method: 'POST', path: /^\/v1\/recovery\/run$/, answer: run },
  { method: 'GET', path: /^\/v1\/recovery\/watch$/, answer: watch },
  { method: 'GET', path: /^\/v1\/fence\/(\d+)$/, answer: ({ at, name }) => levelsFor(at.host, Number(name)) },
  { method: 'POST', path: /^\/v1\/fence\/(\d+)$/, answer: ({ at, name, gone }) => fenceByHand(at.host, Number(name), gone) },
  { method: 'POST', path: /^\/v1\/fence\/(\d+)\/ack$/, answer: ack },
];

export async function answerHttp(at: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const url = new URL(request.url ?? '/', 'http://dlm');
    const { route, name } = routeFor(request.method ?? '', url.pathname);
    const body = request.method === 'POST' ? await bodyOf(request) : {};
    const reply = (value: object): void => send(response, 200, value);
    const tell = (line: object): void => sendLine(response, line);
    const value = await route.answer({ at, name, query: url.searchParams, body, gone: gone.signal, reply, tell, end: () => void response.end() });
    if (value !== undefined) send(response, 200, value);
  } catch (error) {
    if (!response.headersSent) sendError(response, error);
    else response.end(`${JSON.stringify({ error: describeError(errorOf(error)) })}\n`);
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

function create({ at, body }: Asked): object | Promise<object> {
  const { name, valueLength, order, nodir, isNew = false, ...others } = body;
  const isRight =
    typeof name === 'string' &&
    (valueLength === undefined || typeof valueLength === 'number') &&
    (order === undefined || typeof order === 'string') &&
    (nodir === undefined || typeof nodir === 'boolean') &&
    typeof isNew === 'boolean' &&
    Object.keys(others).length === 0;
  if (!isRight) throw new HttpError(400, 'give {"name": "…", "valueLength": 32, "order": "fence-first", "nodir": false, "isNew": false}, all but the name if wanted');
  return joinLockspace(at.host, name, { ...(valueLength === undefined ? {} : { valueLength }), ...(order === undefined ? {} : { order }), ...(nodir === undefined ? {} : { nodir }), isNew });
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

function ack({ at, name, body }: Asked): object {
  const { by, reason, ...others } = body;
  if (!isWords(by) || !isWords(reason) || Object.keys(others).length > 0) throw new HttpError(400, 'give {"by": "who says so", "reason": "why it is known to be off"}');
  return { node: Number(name), cases: acknowledge(at.host, Number(name), by, reason) };
}

/** Line by line; an error after the first line is the last one. */
async function run({ at, body, gone, tell, end }: Asked): Promise<void> {
  const { node, force = false, reason = 'an operator says so', ...others } = body;
  if (!Number.isSafeInteger(node) || typeof force !== 'boolean' || !isWords(reason) || Object.keys(others).length > 0) {
    throw new HttpError(400, 'give {"node": 2, "force": false, "reason": "…"}, the last two if wanted');
  }
  await runRecovery(at.host, { node: node as number, force, reason }, tell, gone);
  end();
}

/** Line by line, until the caller hangs up. */
async function watch({ at, gone, tell }: Asked): Promise<void> {
  await watchRecovery(at.host, tell, gone);
}

const isWords = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '' && value.length <= 1000;

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

/** Whoever reads nothing for so long that this many bytes wait for it is hung up on. */
const unreadMax = 4 * 1024 * 1024;

function sendLine(response: ServerResponse, line: object): void {
  if (response.destroyed) return;
  if (response.writableLength > unreadMax) return void response.destroy();
  if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  response.write(`${JSON.stringify(line)}\n`);
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
  DLM_STILL_MEMBER: 409,
  DLM_NO_RECORD: 404,
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
