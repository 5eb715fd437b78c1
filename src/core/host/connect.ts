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
import { LineReader } from './line-reader.js';
import { ownUid, socketAddress } from './places.js';
import { pidNamespace, shorten } from './process-facts.js';
import { protocolVersion } from './session-protocol.js';
import { SessionPort } from './session-client.js';
import { codeOf, reasonOf } from './system-error.js';
import type { HolderInfo } from './types.js';

const request = 'GET /v1/session HTTP/1.1\r\nHost: dlm\r\nConnection: Upgrade\r\nUpgrade: dlm-session\r\n\r\n';

/** How long a node may take to greet us. */
const greetingMillis = 10_000;
const headMax = 4_096;

/** A session with the node behind this socket; null if there is none. */
export async function connect(socketPath: string, holder: HolderInfo): Promise<SessionPort | null> {
  if (!isOurs(socketPath)) return null;
  const socket = await open(socketPath);
  if (socket === null) return null;
  const hello = {
    op: 'hello',
    version: protocolVersion,
    pid: holder.pid,
    pidns: pidNamespace(),
    command: shorten(holder.command),
  };
  socket.write(`${request}${JSON.stringify(hello)}\n`);
  return greeted(socket, socketPath);
}

/** Is there a socket that we may trust? Throws `DLM_NOT_PERMITTED`. */
function isOurs(path: string): boolean {
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

function notPermitted(path: string, why: string): DlmError {
  return new DlmError('DLM_NOT_PERMITTED', `cannot use the node's socket ${path}: ${why}`);
}

function open(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path: socketAddress(path) });
    const onError = (error: Error): void => {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') resolve(null);
      else reject(notPermitted(path, reasonOf(error)));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** Wait for the welcome. Null: the node was about to leave. */
function greeted(socket: Socket, path: string): Promise<SessionPort | null> {
  return new Promise((resolve, reject) => {
    const reader = new LineReader(Infinity);
    let head: string | null = '';
    const settle = (outcome: SessionPort | DlmError | null): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      if (!(outcome instanceof SessionPort)) socket.on('error', () => undefined).destroy();
      if (outcome instanceof DlmError) reject(outcome);
      else resolve(outcome);
    };
    const timer = setTimeout(() => settle(noAnswer(path)), greetingMillis);
    socket.on('error', () => settle(null));
    socket.on('end', () => settle(null));
    socket.on('data', (chunk: Buffer) => {
      if (head !== null) {
        const bytes: Buffer = Buffer.concat([Buffer.from(head, 'latin1'), chunk]);
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) {
          head = bytes.toString('latin1');
          return head.length > headMax ? settle(strange(path)) : undefined;
        }
        head = null;
        if (!bytes.toString('latin1', 0, 13).startsWith('HTTP/1.1 101 ')) return settle(strange(path));
        chunk = bytes.subarray(end + 4);
      }
      reader.push(chunk);
      const line = reader.next();
      if (line !== null) settle(welcomed(socket, reader, line, path));
    });
  });
}

function welcomed(socket: Socket, reader: LineReader, line: Buffer, path: string): SessionPort | DlmError {
  const message = parse(line);
  const { node, incarnation, error } = message;
  if (typeof node === 'number' && typeof incarnation === 'number') return new SessionPort(socket, reader, node, incarnation);
  return error === undefined ? strange(path) : new DlmError('DLM_PROTOCOL', error.message);
}

interface Greeting {
  readonly node?: unknown;
  readonly incarnation?: unknown;
  readonly error?: { readonly message: string };
}

function parse(line: Buffer): Greeting {
  try {
    return JSON.parse(line.toString('utf8')) as Greeting;
  } catch {
    return {};
  }
}

function strange(path: string): DlmError {
  return new DlmError('DLM_PROTOCOL', `what answers on ${path} is no node, or one of another version`);
}

function noAnswer(path: string): DlmError {
  return new DlmError(
    'DLM_NO_NODE',
    `the node behind ${path} has accepted the connection and says nothing`,
    'it may be stopped or overloaded; see its log beside the socket',
  );
}
