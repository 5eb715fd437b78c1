/**
 * Waiting for an answer that comes at once as long as the node that decides is well: a lock given back, a request taken
 * back, a value read. If it does not come, whoever looks on is told once a change for whom it is waited.
 *
 * Asked by commands that want nothing a lock of others could keep from them. It never gives up, and takes nothing back.
 */
import type { NodeStatus } from '../core/index.js';
import { describeSilent, describeStop } from './describe-status.js';

/** How long nobody needs to be told. */
const silenceMillis = 1000;

export interface Awaited {
  /** What is waited for, after "waiting for". */
  readonly what: string;
  readonly lockspace: string;
  readonly status: () => Promise<NodeStatus>;
  readonly note: (words: string) => void;
}

/** The answer, whenever it comes. */
export async function answered<Answer>({ what, lockspace, status, note }: Awaited, answer: Promise<Answer>): Promise<Answer> {
  let isOver = false;
  let told = '';
  const look = async (): Promise<void> => {
    const seen = await status().catch(() => null);
    if (isOver) return;
    const why = [...describeStop(seen, lockspace), ...describeSilent(seen, lockspace)];
    if (why.length > 0 && why.join() !== told) note([`waiting for ${what}`, ...why].join('\n  '));
    told = why.join();
    timer = setTimeout(() => void look(), silenceMillis);
  };
  let timer = setTimeout(() => void look(), silenceMillis);
  try {
    return await answer;
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
