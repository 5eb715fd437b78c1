/**
 * A promise that somebody else settles: what an engine owes to whoever joins or leaves.
 *
 * If nobody waits for it, that it fails is no news.
 */
export class Answer<Value> {
  resolve!: (value: Value) => void;
  reject!: (error: Error) => void;
  readonly promise = new Promise<Value>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    this.promise.catch(() => undefined);
  }
}
