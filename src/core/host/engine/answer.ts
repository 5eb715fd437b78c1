/**
 * A promise that somebody else settles: how an engine keeps its caller waiting for
 * what others have to say first.
 */
export class Answer<Value> {
  resolve!: (value: Value) => void;
  reject!: (error: Error) => void;
  readonly promise = new Promise<Value>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}
