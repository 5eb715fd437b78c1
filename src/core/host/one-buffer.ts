/**
 * A connection that is read into one buffer, again and again.
 *
 * Read the usual way, every chunk has memory of its own, which for the short frames of lock traffic costs more than what
 * is done with them. Here a chunk is good until the next one comes, which is all that a FrameReader asks for. Only a
 * connection we make can be read so; one that came to us is made by Node.
 */
import { connect, type Socket, type TcpNetConnectOpts, type IpcNetConnectOpts } from 'node:net';

/** As much as is read at once. */
const bufferBytes = 64 * 1024;

/** Connect. What comes is told as 'data', as by any socket, in chunks that nobody may keep. */
export function connectIntoOneBuffer(target: TcpNetConnectOpts | IpcNetConnectOpts, onReady: () => void): Socket {
  const buffer = new Uint8Array(bufferBytes);
  const hear = (length: number): boolean => socket.emit('data', buffer.subarray(0, length));
  const socket: Socket = connect({ ...target, onread: { buffer, callback: hear } }, onReady);
  return socket;
}
