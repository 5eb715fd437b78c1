/**
 * Brings what a member says to corosync, in its order, also when corosync does not take
 * it at the moment.
 */
import { bytesOf, messageMax, type Message } from './corosync-protocol.js';
import type { CorosyncLine } from './corosync-library.js';

/** Messages that corosync has not taken yet. */
const heldBackMax = 1_024;

export class Speaker {
  readonly #line: CorosyncLine;
  readonly #heldBack: Uint8Array[] = [];

  constructor(line: CorosyncLine) {
    this.#line = line;
  }

  /** False: it is too long, or too much waits already. */
  say(message: Message): boolean {
    const bytes = bytesOf(message);
    if (bytes.length > messageMax || this.#heldBack.length >= heldBackMax) return false;
    this.#heldBack.push(bytes);
    this.goOn();
    return true;
  }

  /** False: corosync takes nothing more now; try again a little later. */
  goOn(): boolean {
    while (this.#heldBack.length > 0) {
      if (!this.#line.send(this.#heldBack[0]!)) return false;
      this.#heldBack.shift();
    }
    return true;
  }
}
