/**
 * Whoever reads our output may stop reading: that is no error.
 *
 * A standard stream is made when it is first asked for, which takes a millisecond,
 * and most commands under a lock never ask. So we do not ask either, only to be
 * there when it breaks: the listener is added when somebody else asks.
 */

const names = ['stdout', 'stderr'] as const;

/** Call it once, before anything is written. */
export function forgiveClosedPipes(): void {
  for (const name of names) {
    const { get } = Object.getOwnPropertyDescriptor(process, name) ?? {};
    const open = (): NodeJS.WriteStream => {
      const stream = get === undefined ? process[name] : (get.call(process) as NodeJS.WriteStream);
      stream.on('error', forgive);
      Object.defineProperty(process, name, { configurable: true, enumerable: true, value: stream });
      return stream;
    };
    if (get === undefined) open();
    else Object.defineProperty(process, name, { configurable: true, enumerable: true, get: open });
  }
}

function forgive(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
