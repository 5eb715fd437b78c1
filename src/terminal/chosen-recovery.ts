/**
 * Which of the recoveries that are kept is meant: one by its generation, or the last.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, escapeText, readRecoveries, type RecoveryRecord } from '../core/index.js';
import { lockspaceName } from './names.js';
import { parseWhole } from './numbers.js';

export const recoveryFlags = {
  lockspace: Flags.custom<string>({ char: 'l', helpValue: 'NAME', summary: 'only of this lockspace', parse: async (text) => lockspaceName(text) })(),
};

interface Choice {
  readonly generation: string | undefined;
  readonly lockspace: string | undefined;
}

/** The oldest first. Rejects with `DLM_NO_RECORD` if a generation or a lockspace is named of which there is none. */
export async function chosenRecoveries({ generation, lockspace }: Choice): Promise<RecoveryRecord[]> {
  const { records } = await readRecoveries();
  const number = generation === undefined ? null : parseWhole(generation, 0);
  const chosen = records.filter((record) => (number === null || record.generation === number) && (lockspace === undefined || record.lockspace === lockspace));
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
