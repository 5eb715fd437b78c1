/**
 * The dictionary of exit codes.
 */
import { DlmError, catalogue, errorCodes, escapeText } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { wordArg } from '../terminal/flags.js';
import { prose } from '../terminal/prose.js';
import { table } from '../terminal/tables.js';

interface Entry {
  readonly exit: number | string;
  readonly code: string;
  readonly meaning: string;
  readonly hint: string;
}

const ours: readonly Entry[] = errorCodes.map((code) => ({ code, ...catalogue[code] })).sort((one, other) => one.exit - other.exit);

/** What is no error of ours, but can be seen all the same. */
const others: readonly Entry[] = [
  ['0', 'done; with dlm lock -- COMMAND: the command ended with 0'],
  ['1', 'dlm sim conformance, dlm sim scenario: something differs; dlm node status, dlm recover status: no answer; dlm fence test: not well'],
  ['2', 'dlm node status: not quorate; dlm recover status: something waits'],
  ['126', 'dlm lock -- COMMAND: the command cannot be run'],
  ['127', 'dlm lock -- COMMAND: the command was not found'],
  ['128+N', 'signal N ended the command, or came while dlm was waiting'],
  ['any', 'dlm lock -- COMMAND: the exit code of the command'],
].map(([exit, meaning]) => ({ exit: exit!, code: '', meaning: meaning!, hint: '' }));

export default class Codes extends BaseCommand {
  static override summary = 'Explain the exit codes';
  static override usage = 'codes [CODE]';
  static override description = prose`
    Every error of dlm has a name and an exit code that do not change. The codes keep clear of those of flock(1), of
    sysexits and of signals, so that a script can tell them from its command's own. -E sets the code for busy and
    for timed out.`;
  static override examples = [
    '<%= config.bin %> codes',
    { description: 'What does this one mean?', command: '<%= config.bin %> codes 81' },
    '<%= config.bin %> codes DLM_LOST',
  ];
  static override args = { code: wordArg('an exit code, or the name of an error') };

  async run(): Promise<unknown> {
    const { args } = await this.parse(Codes);
    const entries = args.code === undefined ? [...ours, ...others] : found(args.code);
    if (args.code === undefined) {
      this.print(table(['EXIT', 'NAME', 'MEANING'], entries.map(({ exit, code, meaning }) => [String(exit), code, meaning])));
    } else {
      for (const { exit, code, meaning, hint } of entries) {
        this.print([exit, code, meaning].filter((word) => word !== '').join('  '));
        if (hint !== '') this.print(`    ${hint}`);
      }
    }
    return entries;
  }
}

function found(word: string): Entry[] {
  const number = Number(word);
  const wanted = number > 128 && number < 128 + 65 ? ['128+N'] : [word.toUpperCase()];
  const entries = [...ours, ...others].filter(({ exit, code }) => wanted.includes(code) || wanted.includes(String(exit)));
  if (entries.length > 0) return entries;
  throw new DlmError('DLM_USAGE', `dlm has no exit code '${escapeText(word)}' of its own`, 'see them all with: dlm codes');
}
