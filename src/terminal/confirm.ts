/**
 * Asking before something is done that cannot be undone: a person at a terminal is asked,
 * and a script must have said so.
 */
import { createInterface } from 'node:readline/promises';
import * as Flags from '@oclif/core/flags';
import { DlmError } from '../core/index.js';

export const yesFlag = {
  yes: Flags.boolean({ char: 'y', summary: 'do not ask; needed where nobody can be asked' }),
};

/** `what`: a sentence without a full stop. Rejects with `DLM_USAGE` if nobody can be asked, `DLM_CANCELLED` if the answer is not yes. */
export async function confirm(what: string, isSaid: boolean): Promise<void> {
  if (isSaid) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) throw new DlmError('DLM_USAGE', `${what}: that has to be meant`, 'say so with --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${what}. Go on? (yes/no) `);
  terminal.close();
  if (answer.trim().toLowerCase() !== 'yes') throw new DlmError('DLM_CANCELLED', 'nothing was done', 'answer yes, or say --yes');
}
