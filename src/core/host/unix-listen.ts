/**
 * Listening on a socket of this machine: it comes into being with its final mode, so
 * that there is no moment in which others may connect who must not.
 *
 * Who may remove the socket that a dead process has left is the caller's to know, by the
 * lock that it holds.
 */
import type { Server } from 'node:net';
import { socketAddress } from './places.js';
import { unusable } from './system-error.js';

/** For nobody but the user, or for the socket's group as well. */
export type SocketMode = 0o600 | 0o660;

/** Returns when it listens. Throws `DLM_STATE_UNUSABLE`. */
export async function listenOnUnix(server: Server, path: string, options: { mode?: SocketMode; backlog?: number } = {}): Promise<void> {
  const { mode = 0o600, ...others } = options;
  const address = socketAddress(path);
  const listening = whenListening(server);
  const mask = process.umask(0o777 & ~mode);
  try {
    server.listen({ path: address, ...others });
  } finally {
    process.umask(mask);
  }
  try {
    await listening;
  } catch (error) {
    throw unusable(`cannot listen on ${path}`, error);
  }
}

/** To be called before `listen`; rejects with what the system says. */
export function whenListening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
  });
}
