/**
 * What dlm wait can wait for: how it is typed, whether it is so, and what is said of it
 * while it is not.
 */
import { DlmError, defaultLockspace, escapeText, type LockspaceSummary, type NodeStatus } from '../core/index.js';
import { describeSilent, describeStanding } from './describe-status.js';
import { lockspaceName } from './names.js';
import { parseWhole } from './numbers.js';

/** Something that a node's status tells. */
export interface Awaited {
  /** `node 3 to be a member`, as in "waiting for …". */
  readonly words: string;
  readonly isSo: (status: NodeStatus) => boolean;
  /** Why it is not so, as far as that is known; empty: nothing is to be added. */
  readonly why: (status: NodeStatus) => string;
}

const nodeMax = 0x7fff_ffff;
const forms = 'quorate, member N, recovered [LOCKSPACE], generation G [LOCKSPACE], or free NAME';

/** Null: a lock that is to be free. `lockspace`: as the option says, where there is none among the words. Throws `DLM_USAGE`. */
export function awaitedOf(words: readonly string[], lockspace?: string): Awaited | null {
  const [what, first, second] = words;
  if (what === 'quorate' && words.length === 1) return quorate;
  if (what === 'member' && words.length === 2) return member(parseWhole(first!, 1, nodeMax));
  if (what === 'recovered' && words.length <= 2) return generationOf(lockspaceIn(first, lockspace), 0);
  if (what === 'generation' && (words.length === 2 || words.length === 3)) return generationOf(lockspaceIn(second, lockspace), parseWhole(first!, 0));
  if (what === 'free' && words.length === 2) return null;
  throw new DlmError('DLM_USAGE', `it is not clear what to wait for: ${escapeText(words.join(' '))}`, `wait for ${forms}`);
}

function lockspaceIn(word: string | undefined, option: string | undefined): string {
  if (word !== undefined && option !== undefined) throw new DlmError('DLM_USAGE', `the lockspace is named twice: ${escapeText(word)}, and ${escapeText(option)} by --lockspace`, 'name it once');
  return lockspaceName(word ?? option ?? defaultLockspace);
}

const quorate: Awaited = {
  words: 'the cluster to be quorate',
  isSo: ({ quorate: isQuorate }) => isQuorate,
  why: ({ members }) => `the members are node ${members.join(', ')}`,
};

function member(node: number): Awaited {
  return {
    words: `node ${node} to be a member`,
    isSo: ({ members }) => members.includes(node),
    why: ({ members }) => `the members are node ${members.join(', ')}`,
  };
}

function generationOf(name: string, generation: number): Awaited {
  const least = generation === 0 ? '' : ` in generation ${generation}`;
  return {
    words: `lockspace ${escapeText(name)} to be recovered${least}`,
    isSo: (status) => {
      const found = summaryOf(status, name);
      return found.standing === 'running' && found.generation >= generation;
    },
    why: (status) => {
      const { standing, waitsFor, reason, generation: present } = summaryOf(status, name);
      return standing === 'running' ? `it is in generation ${present}` : [describeStanding(standing, waitsFor, reason), ...describeSilent(status, name)].join('; ');
    },
  };
}

/** Throws `DLM_LOCKSPACE_UNKNOWN`: one that is not joined is not about to be recovered. */
function summaryOf({ lockspaces }: NodeStatus, name: string): LockspaceSummary {
  const found = lockspaces.find((lockspace) => lockspace.name === name);
  if (found !== undefined) return found;
  throw new DlmError('DLM_LOCKSPACE_UNKNOWN', `this node has not joined lockspace '${escapeText(name)}'`);
}
