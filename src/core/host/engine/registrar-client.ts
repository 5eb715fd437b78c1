/**
 * A member's line to a registrar in another process.
 *
 * It finds out whether anybody listens, and turns lines into messages and back.
 * It decides nothing: a line that breaks, or on which something strange is said,
 * is gone, and whoever had it looks for the registrar again.
 */
import { connect, type Socket } from 'node:net';
import { DlmError } from '../../base/errors.js';
import { LineReader } from '../line-reader.js';
import { socketAddress } from '../places.js';
import { codeOf, reasonOf } from '../system-error.js';
import { lineOf, parseFromRegistrar, registrarLineMax, type FromRegistrar, type Hearer, type ToRegistrar } from './registrar-protocol.js';

/** Nobody listens there (any more, or yet), or there is no room just now. */
const nobody = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN', 'EPIPE']);

/** Null if nobody listens. Rejects with `DLM_NOT_PERMITTED`. */
export function connectToRegistrar(path: string, hearer: Hearer): Promise<ToRegistrar | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketAddress(path) });
    const onError = (error: Error): void => {
      if (nobody.has(codeOf(error))) resolve(null);
      else reject(new DlmError('DLM_NOT_PERMITTED', `cannot reach the cluster's registrar through ${path}: ${reasonOf(error)}`));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(lineOn(socket, hearer));
    });
  });
}

function lineOn(socket: Socket, hearer: Hearer): ToRegistrar {
  const reader = new LineReader(registrarLineMax);
  let isOver = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!isOver) hearer.gone();
  });
  socket.on('data', (chunk: Buffer) => {
    for (const message of messagesIn(reader, chunk, socket)) {
      if (!isOver) hearer.hear(message);
    }
  });
  return {
    tell: (message) => void socket.write(lineOf(message)),
    end: () => {
      isOver = true;
      // A registrar that is stopped would never hang up.
      socket.end().unref();
    },
  };
}

function* messagesIn(reader: LineReader, chunk: Buffer, socket: Socket): Generator<FromRegistrar> {
  reader.push(chunk);
  for (;;) {
    try {
      const line = reader.next();
      if (line === null) return;
      yield parseFromRegistrar(line);
    } catch (error) {
      if (!(error instanceof DlmError) || error.code !== 'DLM_PROTOCOL') throw error;
      socket.destroy();
      return;
    }
  }
}
