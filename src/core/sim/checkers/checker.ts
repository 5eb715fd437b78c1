/**
 * What a checker is: it is shown every event, in order, and complains by throwing.
 *
 * It counts how often its condition really occurred, since a property that was
 * never at stake has not been tested.
 */
import type { SimEvent } from '../event.js';

export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(
    /** Which property; the name of the checker. */
    readonly property: string,
    message: string,
    /** Words by which the lines of a trace that matter are found. */
    readonly words: readonly string[] = [],
  ) {
    super(message);
  }
}

export interface Checker {
  readonly property: string;
  /** What it says, with the letters of the properties it stands for. */
  readonly says: string;
  /** How often the condition occurred, by kind. */
  readonly counts: Readonly<Record<string, number>>;
  see(event: SimEvent): void;
}
