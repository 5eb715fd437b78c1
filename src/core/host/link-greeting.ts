/**
 * Wait for the first thing the other side says, and not for long.
 *
 * Asked by both sides of a new connection, before they know each other: until then a
 * connection may send one short frame, and has five seconds in all. What the greeting
 * must say is decided by whoever knows the members (transport.ts).
 */
import type { Socket } from 'node:net';
import { decodeHello, greetingBytesMax, type HelloFrame } from '../wire/hello.js';
import { WireError } from '../wire/wire-error.js';
import { FrameReader } from './framing.js';

const greetingMillis = 5_000;

export type Heard =
  /** What else has come is in the reader; the socket is paused. */
  | { readonly kind: 'hello'; readonly hello: HelloFrame; readonly reader: FrameReader }
  | { readonly kind: 'strange'; readonly error: WireError }
  /** It closed, failed, or let the time pass. */
  | { readonly kind: 'gone'; readonly error: Error };

/** Calls `done` once; unless it was a hello, hanging up is left to the caller. */
export function hearGreeting(socket: Socket, done: (heard: Heard) => void): void {
  const reader = new FrameReader(greetingBytesMax);
  let failure: Error | null = null;
  const finish = (heard: Heard): void => {
    clearTimeout(timer);
    socket.off('data', hear).off('close', onClose).off('error', onError);
    done(heard);
  };
  const hear = (chunk: Buffer): void => {
    reader.push(chunk);
    try {
      const frame = reader.next();
      if (frame === null) return;
      const hello = decodeHello(frame);
      socket.pause();
      finish({ kind: 'hello', hello, reader });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      finish({ kind: 'strange', error });
    }
  };
  const onError = (error: Error): void => {
    failure = error;
  };
  const onClose = (): void => finish({ kind: 'gone', error: failure ?? new Error('the other side hung up') });
  const timer = setTimeout(() => finish({ kind: 'gone', error: new Error('the other side says nothing') }), greetingMillis);
  socket.on('data', hear).on('close', onClose).on('error', onError);
}

/** Calls `then` once, with the first that has come, which stays to be read; whoever says nothing is hung up. */
export function whenBegun(socket: Socket, then: (first: Buffer) => void): void {
  const look = (): void => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    clearTimeout(timer);
    socket.off('readable', look);
    socket.unshift(first);
    then(first);
  };
  const timer = setTimeout(() => socket.destroy(), greetingMillis);
  socket.once('close', () => clearTimeout(timer)).on('readable', look);
}
