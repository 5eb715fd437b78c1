/**
 * Reach a node through its socket and open a session.
 *
 * It tells "nobody there" (null) from "somebody there, but not for you", which is
 * an error. The socket must belong to root or to us: whoever else could make one
 * of that name would be told our locks. Everything a session begins with is
 * written at once, so that a command pays for one exchange only.
 */
import { lstatSync, type Stats } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { DlmError } from '../base/errors.js';
import { Unanswered } from './deadline.js';
import { LineReader } from './line-reader.js';
import { ownUid, socketAddress } from './places.js';
import { pidNamespace, shorten } from './process-facts.js';
import { recoveryOfEnvironment } from './recovery-identity.js';
import { protocolVersion } from './session-protocol.js';
import { SessionPort, firstCall } from './session-client.js';
import { codeOf, reasonOf } from './system-error.js';
import type { HolderInfo } from './types.js';

const request = 'GET /v1/session HTTP/1.1\r\nHost: dlm\r\nConnection: Upgrade\r\nUpgrade: dlm-session\r\n\r\n';

/** How long a node may take to greet us, at most. */
export const greetingMillis = 10_000;
const headMax = 4_096;

/** A session with the node behind this socket, joining a lockspace at once if one is named; null if there is none. */
export async function connect(socketPath: string, holder: HolderInfo, lockspace: string | null = null, patienceMillis = greetingMillis): Promise<SessionPort | null> {
  if (!isOurs(socketPath)) return null;
  const socket = await open(socketPath);
  if (socket === null) return null;
  const recovery = recoveryOfEnvironment();
  const hello = {
    op: 'hello',
    version: protocolVersion,
    pid: holder.pid,
    pidns: pidNamespace(),
    command: shorten(holder.command),
    ...(recovery === null ? {} : { recovery }),
  };
  const join = lockspace === null ? '' : `${JSON.stringify({ id: firstCall, op: 'joinLockspace', lockspace })}\n`;
  socket.write(`${request}${JSON.stringify(hello)}\n${join}`);
  return greeted(socket, socketPath, lockspace, Math.min(patienceMillis, greetingMillis));
}

/** Is there a socket that we may trust? Throws `DLM_NOT_PERMITTED`. */
export function isOurs(path: string): boolean {
  let stat: Stats;
  try {
    stat = lstatSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw notPermitted(path, reasonOf(error));
  }
  if (!stat.isSocket()) throw notPermitted(path, 'it is not a socket');
  if (stat.uid === 0 || stat.uid === ownUid()) return true;
  throw notPermitted(path, `it belongs to user ${stat.uid}, neither to root nor to you`);
}

export function notPermitted(path: string, why: string): DlmError {
  return new DlmError(
    'DLM_NOT_PERMITTED',
    `cannot use the node's socket ${path}: ${why}`,
    'join its group (dlm, for the node of the machine), or use a node of your own with DLM_DIR=FOLDER',
  );
}

function open(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path: socketAddress(path) });
    const onError = (error: Error): void => {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') resolve(null);
      else reject(code === 'EAGAIN' ? noRoom(path) : notPermitted(path, reasonOf(error)));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** Wait for the welcome. Null: the node was about to leave. */
function greeted(socket: Socket, path: string, joining: string | null, patienceMillis: number): Promise<SessionPort | null> {
  return new Promise((resolve, reject) => {
    const greeting = new Greeting();
    const stop = (): void => {
      clearTimeout(timer);
      socket.off('data', hear).off('error', leave).off('end', leave);
    };
    const hangUp = (): void => {
      stop();
      socket.on('error', () => undefined).destroy();
    };
    const leave = (): void => {
      hangUp();
      resolve(null);
    };
    const refuse = (error: DlmError): void => {
      hangUp();
      reject(error);
    };
    const hear = (chunk: Buffer): void => {
      const heard = greeting.hear(chunk);
      if (heard === 'more') return;
      if (heard === 'strange') return refuse(strange(path));
      if (heard === 'full') return refuse(full(path));
      if ('error' in heard) return refuse(new DlmError('DLM_PROTOCOL', heard.error.message));
      stop();
      resolve(new SessionPort(socket, greeting.reader, heard.node, heard.incarnation, joining));
    };
    const timer = setTimeout(() => refuse(noAnswer(path)), patienceMillis);
    socket.on('data', hear).on('error', leave).on('end', leave);
  });
}

type Greeted = { readonly node: number; readonly incarnation: number } | { readonly error: { readonly message: string } };

/** What a node says first: that it goes over to a session, and welcome. */
class Greeting {
  readonly reader = new LineReader(Infinity);
  /** Null once it has been read. */
  #head: Buffer | null = Buffer.alloc(0);

  hear(chunk: Buffer): Greeted | 'more' | 'full' | 'strange' {
    if (this.#head === null) {
      this.reader.push(chunk);
    } else {
      this.#head = Buffer.concat([this.#head, chunk]);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return this.#head.length > headMax ? 'strange' : 'more';
      const status = this.#head.toString('latin1', 0, 'HTTP/1.1 101 '.length);
      if (status !== 'HTTP/1.1 101 ') return status === 'HTTP/1.1 503 ' ? 'full' : 'strange';
      this.reader.push(this.#head.subarray(end + 4));
      this.#head = null;
    }
    const line = this.reader.next();
    return line === null ? 'more' : parseGreeting(line);
  }
}

function parseGreeting(line: Buffer): Greeted | 'strange' {
  try {
    const message = JSON.parse(line.toString('utf8')) as { node?: unknown; incarnation?: unknown; error?: { message?: unknown } };
    const { node, incarnation, error } = message;
    if (typeof node === 'number' && typeof incarnation === 'number') return { node, incarnation };
    return typeof error?.message === 'string' ? { error: { message: error.message } } : 'strange';
  } catch {
    return 'strange';
  }
}

function strange(path: string): DlmError {
  return new DlmError('DLM_PROTOCOL', `what answers on ${path} is no node, or one of another version`);
}

function full(path: string): DlmError {
  return new DlmError('DLM_TOO_MANY', `the node behind ${path} has as many sessions as it can serve`);
}

const howItMayBe = 'it may be stopped or overloaded; see its log beside the socket';

export function noAnswer(path: string): DlmError {
  return new Unanswered('DLM_NO_NODE', `the node behind ${path} has accepted the connection and says nothing`, howItMayBe);
}

/** The system lets only so many wait until they are let in. */
function noRoom(path: string): DlmError {
  return new Unanswered('DLM_NO_NODE', `the node behind ${path} lets nobody in, and as many as can wait for that do so already`, howItMayBe);
}
