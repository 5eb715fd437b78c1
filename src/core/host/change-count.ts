/**
 * How often something has changed that people wait for, and who waits for the next change.
 *
 * Who knows the number of what he has looked at misses nothing, though he looks only now
 * and then.
 */
export class ChangeCount {
  #changes = 1;
  #waiting = new Set<(changes: number) => void>();

  /** The number of what can be seen now. */
  get seen(): number {
    return this.#changes;
  }

  /** Something has changed. */
  count(): void {
    this.#changes += 1;
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const tell of waiting) tell(this.#changes);
  }

  /** Tell when there were more than `seen`; at once if there are, or none is given. Returns how to forget about it. */
  after(seen: number | null, tell: (changes: number) => void): () => void {
    if (seen === null || this.#changes > seen) tell(this.#changes);
    else this.#waiting.add(tell);
    return () => this.#waiting.delete(tell);
  }
}
