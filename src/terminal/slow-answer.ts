/**
 * Waiting for an answer that comes at once as long as the node that decides is well: a lock given back, a request taken
 * back, a value read. If it does not come, whoever looks on is told once a change for whom it is waited.
 *
 * Asked by commands that want nothing a lock of others could keep from them, and by those who wait for a grant, about how
 * things stand. It takes nothing back.
 */
import type { NodeStatus } from '../core/index.js';
import { describeSilent, describeStop, newsIn } from './describe-status.js';

/** How long the node may take to tell what is to be seen: it asks the others, and waits a second for them. */
export const lookMillis = 2000;

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
    const seen = await within(lookMillis, status());
    if (isOver) return;
    const why = [...describeStop(seen, lockspace), ...describeSilent(seen, lockspace)];
    const news = newsIn(why.join());
    if (why.length > 0 && news !== told) note([`waiting for ${what}`, ...why].join('\n  '));
    told = news;
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

/** Null: it could not be found out in time. */
export function within<Answer>(millis: number, answer: Promise<Answer>): Promise<Answer | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), millis);
    answer.then(resolve, () => resolve(null)).finally(() => clearTimeout(timer));
  });
}
