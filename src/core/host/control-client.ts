/**
 * Plain requests to the node of this machine, for those who look at it and administer
 * it: docs/protocol.md. Those who lock open a session instead.
 *
 * It never starts a node: where none runs there is nothing to look at.
 */
import { request, type IncomingMessage } from 'node:http';
import { DlmError } from '../base/errors.js';
import { greetingMillis, isOurs, noAnswer, notPermitted } from './connect.js';
import { placesToTry, socketAddress } from './places.js';
import { errorFrom } from './remote-error.js';
import { codeOf, reasonOf } from './system-error.js';

export interface ControlRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly signal?: AbortSignal;
  /** How long the node may take until it begins to answer, in milliseconds; ten seconds if not given. */
  readonly answerTimeout?: number;
  /** One folder for everything; DLM_DIR or the places of this user if not given. */
  readonly dir?: string;
}

/** The answer. Rejects with `DLM_NO_NODE`, `DLM_NOT_PERMITTED`, `DLM_CANCELLED`, or what the node says. */
export async function askNode<Answer>(wish: ControlRequest): Promise<Answer> {
  let text = '';
  for await (const chunk of await responseTo(wish)) text += (chunk as Buffer).toString('utf8');
  return valueOf(text) as Answer;
}

/** Answers that come one after another, a line each. Rejects as `askNode`, also after the first. */
export async function* followNode<Answer>(wish: ControlRequest): AsyncGenerator<Answer> {
  let text = '';
  try {
    for await (const chunk of await responseTo(wish)) {
      const lines = (text + (chunk as Buffer).toString('utf8')).split('\n');
      text = lines.pop()!;
      for (const line of lines) yield valueOf(line) as Answer;
    }
  } catch (error) {
    throw wish.signal?.aborted === true ? new DlmError('DLM_CANCELLED', 'interrupted; what was begun goes on') : asDlmError(error);
  }
}

async function responseTo(wish: ControlRequest): Promise<IncomingMessage> {
  const places = placesToTry(wish.dir);
  for (const { socket } of places) {
    const response = isOurs(socket) ? await send(socket, wish) : null;
    if (response !== null) return response;
  }
  const { hintWithoutNode } = await import('./clustered.js');
  throw new DlmError('DLM_NO_NODE', 'no node runs here', hintWithoutNode(places));
}

/** Null: nobody is there. */
function send(socket: string, { method, path, body, signal, answerTimeout = greetingMillis }: ControlRequest): Promise<IncomingMessage | null> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const sent = request({ socketPath: socketAddress(socket), method, path, headers, ...(signal === undefined ? {} : { signal }) }, (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    const timer = answerTimeout === Infinity ? undefined : setTimeout(() => sent.destroy(noAnswer(socket)), answerTimeout);
    sent.on('error', (error) => {
      clearTimeout(timer);
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(null);
      else if (code === 'EACCES') reject(notPermitted(socket, reasonOf(error)));
      else reject(signal?.aborted === true ? new DlmError('DLM_CANCELLED', 'interrupted') : asDlmError(error));
    });
    sent.end(text);
  });
}

/** Throws what the node has reported. */
function valueOf(text: string): unknown {
  let value: { readonly error?: Parameters<typeof errorFrom>[0] };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw new DlmError('DLM_PROTOCOL', 'the node has sent an answer that makes no sense');
  }
  if (value.error !== undefined) throw errorFrom(value.error);
  return value;
}

function asDlmError(error: unknown): DlmError {
  return error instanceof DlmError ? error : new DlmError('DLM_NO_NODE', `the node has stopped answering: ${reasonOf(error)}`);
}
