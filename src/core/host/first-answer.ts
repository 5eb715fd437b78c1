/**
 * Which of several nodes is there, and who asks: what attaching and starting have
 * in common.
 */
import { connect } from './connect.js';
import type { Places } from './places.js';
import type { SessionPort } from './session-client.js';
import type { HolderInfo } from './types.js';

/** A session with the first of these nodes that is there, joining a lockspace at once if one is named. */
export async function firstAnswer(places: readonly Places[], holder: HolderInfo, lockspace: string | null = null, patienceMillis?: number): Promise<SessionPort | null> {
  for (const { socket } of places) {
    const port = await connect(socket, holder, lockspace, patienceMillis);
    if (port !== null) return port;
  }
  return null;
}

/** This process, as it was started. */
export function ourselves(): HolderInfo {
  return { pid: process.pid, command: process.argv.join(' ') };
}
