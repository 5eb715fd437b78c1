/**
 * Bytes that mean nothing.
 *
 * Thrown by everything that reads what another node has sent, and by nothing else. It is
 * no operator's error: whoever drives the session hangs up and says so. Nobody goes on
 * reading after one.
 */

/** What is wrong with the bytes. */
export type WireFault =
  /** They end in the middle of something. */
  | 'truncated'
  /** Something follows where the end should be. */
  | 'trailing'
  /** More than is ever sent. */
  | 'tooLong'
  /** A number written longer than need be, or beyond what can be counted exactly. */
  | 'badNumber'
  /** A code that stands for nothing. */
  | 'badCode'
  /** Another version of this protocol. */
  | 'otherVersion'
  /** Well formed, and impossible all the same. */
  | 'impossible';

export class WireError extends Error {
  override readonly name = 'WireError';

  constructor(
    readonly fault: WireFault,
    /** Where in the frame, in bytes from its beginning. */
    readonly at: number,
    what: string,
  ) {
    super(`${what} (byte ${at} of the frame)`);
  }
}
