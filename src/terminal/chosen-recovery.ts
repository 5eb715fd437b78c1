/**
 * Which of the recoveries that are kept is meant: one by its generation, or the last.
 * And which go on, of which nothing is kept yet: the node tells, if one runs.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, askNode, escapeText, readRecoveries, type LockspaceRecovery, type RecoveryRecord, type RecoveryStatus } from '../core/index.js';
import { lockspaceName } from './names.js';
import { parseWhole } from './numbers.js';
import { isDlmError } from './report.js';

export const recoveryFlags = {
  lockspace: Flags.custom<string>({ char: 'l', helpValue: 'NAME', summary: 'only of this lockspace', parse: async (text) => lockspaceName(text) })(),
};

/** How long a node may take to tell: one that is stopped does not answer, and what is kept can be read all the same. */
const answerMillis = 3000;

/** A recovery that goes on, as far as it is, and what it waits for. */
export interface RunningRecovery extends RecoveryRecord {
  readonly waits: Pick<LockspaceRecovery, 'rung' | 'waitsFor' | 'words'>;
}

interface Choice {
  readonly generation: string | undefined;
  readonly lockspace: string | undefined;
}

/** The oldest first. Rejects with `DLM_NO_RECORD` if a generation or a lockspace is named of which there is none. */
export async function chosenRecoveries({ generation, lockspace }: Choice): Promise<RecoveryRecord[]> {
  const { records } = await readRecoveries();
  const number = numberOf(generation);
  const chosen = records.filter(isChosen({ generation, lockspace }));
  if (chosen.length > 0 || (number === null && lockspace === undefined)) return chosen;
  const which = [...(lockspace === undefined ? [] : [`lockspace '${escapeText(lockspace)}'`]), ...(number === null ? [] : [`generation ${number}`])];
  throw new DlmError('DLM_NO_RECORD', `no recovery of ${which.join(', ')} is kept here`);
}

/** Those of the generation that is named; else the last one after a failure, or the last of all. Rejects with `DLM_NO_RECORD`. */
export async function chosenRecovery(choice: Choice): Promise<RecoveryRecord[]> {
  const chosen = await chosenRecoveries(choice);
  if (choice.generation !== undefined) return chosen;
  const last = chosen.filter(({ victims }) => victims.length > 0).at(-1) ?? chosen.at(-1);
  if (last === undefined) throw new DlmError('DLM_NO_RECORD', 'no recovery is kept here', 'records are kept by nodes that are members of a cluster');
  return [last];
}

/** `tell` hears why it is not known what goes on. None where no node runs. */
export async function runningRecoveries(choice: Choice, tell: (words: string) => void): Promise<RunningRecovery[]> {
  const status = await statusNow(tell);
  return (status?.current ?? []).filter(isChosen(choice)).map((record) => {
    const { rung, waitsFor, words } = status!.lockspaces.find(({ lockspace }) => lockspace === record.lockspace)!;
    return { ...record, waits: { rung, waitsFor, words } };
  });
}

async function statusNow(tell: (words: string) => void): Promise<RecoveryStatus | null> {
  const signal = AbortSignal.timeout(answerMillis);
  try {
    return await askNode<RecoveryStatus>({ method: 'GET', path: '/v1/recovery', signal });
  } catch (error) {
    if (!signal.aborted && !isDlmError(error)) throw error;
    const isThere = signal.aborted || !isDlmError(error, 'DLM_NO_NODE');
    if (isThere) tell(`whether a recovery goes on is not known: ${signal.aborted ? `the node has not answered for ${answerMillis / 1000} s` : (error as Error).message}`);
    return null;
  }
}

function isChosen({ generation, lockspace }: Choice): (record: RecoveryRecord) => boolean {
  const number = numberOf(generation);
  return (record) => (number === null || record.generation === number) && (lockspace === undefined || record.lockspace === lockspace);
}

const numberOf = (generation: string | undefined): number | null => (generation === undefined ? null : parseWhole(generation, 0));
