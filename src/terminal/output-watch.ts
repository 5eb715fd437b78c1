/**
 * Has whoever reads our output stopped reading? Asked by all commands that follow
 * something and print a line now and then: `dlm members --watch | head -1` is over when
 * head is, and not with the next change, nor never.
 *
 * Nothing exits in here, as with signals (signals.ts): whoever follows ends in its own way.
 */
import { outputReader } from '../core/index.js';

const lookMillis = 250;

export class OutputWatch {
  readonly #unread: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `unread` is called when nobody reads any more, maybe more than once. */
  constructor(unread: () => void) {
    this.#unread = unread;
    // Whoever writes is told at once.
    process.stdout.on('error', unread);
    // What asks the system takes longer to load than most have to wait for their first line.
    this.#timer = setTimeout(() => void this.#look(), lookMillis).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    process.stdout.off('error', this.#unread);
  }

  async #look(): Promise<void> {
    const isRead = await outputReader();
    if (isRead === null || this.#timer === undefined) return;
    this.#timer = setInterval(() => {
      if (!isRead()) this.#unread();
    }, lookMillis).unref();
  }
}
