/**
 * From a line typed in a shell to a command, and to an exit code, whatever the line
 * says.
 *
 * What is not about any command is decided here: the first page of help, a word
 * that is no command. Lines that are plain need less and go another way
 * (lean/start.ts), which ends here when it is not sure.
 */
import { Config } from '@oclif/core/config';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { DlmError, escapeText } from '../core/index.js';
import { forgiveClosedPipes } from './closed-pipes.js';
import { nearest } from './nearest.js';
import { isDlmError, report } from './report.js';
import { notInSilence } from './silence.js';
import { inOurWords } from './usage.js';

const helpWords = ['--help', '-h'];

/** `root` is the folder of package.json; `load` says how the commands are found, if not by their files. */
export async function main(argv: readonly string[], root: string, load = () => Config.load({ root, userPlugins: false })): Promise<void> {
  // Commands are compiled; nobody looks for their sources.
  settings.enableAutoTranspile = false;
  forgiveClosedPipes();
  try {
    await notInSilence(() => answer(argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv], load));
  } catch (error) {
    process.exitCode = report(inOurWords(error, ''), ownWords(argv).includes('--json'));
  }
}

async function answer(line: string[], load: () => ReturnType<typeof Config.load>): Promise<void> {
  const words = ownWords(line);
  if (words.every((word) => helpWords.includes(word))) return showFirstPage();

  const config = await load();
  const isTopic = config.findTopic(words.join(':')) !== undefined && config.findCommand(words.join(':')) === undefined;
  try {
    if (!isTopic && !words.some((word) => helpWords.includes(word))) return void (await run(line, config));
    const { HelpPages } = await import('./help.js');
    await new HelpPages(config).showHelp(words);
  } catch (error) {
    throw unknownCommand(error, config) ?? error;
  }
}

async function showFirstPage(): Promise<void> {
  const { firstPage } = await import('./first-page.js');
  process.stdout.write(firstPage());
}

/** What is said to us, and not to a command behind `--`. */
function ownWords(line: readonly string[]): string[] {
  const dashes = line.indexOf('--');
  return line.slice(0, dashes < 0 ? line.length : dashes);
}

/** The words after a command that takes none are looked for as a part of its name. */
function unknownCommand(error: unknown, config: Config): DlmError | null {
  if (isDlmError(error) || !(error instanceof Error)) return null;
  const match = /^command (.+) not found\.?$/i.exec(error.message);
  if (match === null) return null;
  const words = match[1]!.replaceAll(':', ' ');
  if (words.startsWith('-')) {
    return new DlmError('DLM_USAGE', `'${escapeText(words)}' stands where a command is expected`, 'options come after the command, as in: dlm locks --json; see: dlm --help');
  }
  const parts = match[1]!.split(':');
  const known = parts.findLastIndex((_, at) => config.findCommand(parts.slice(0, at + 1).join(':')) !== undefined);
  if (known < 0) {
    const meant = meantBy(parts, config);
    return new DlmError('DLM_USAGE', `there is no command '${escapeText(words)}'`, meant === null ? 'see: dlm --help' : `did you mean dlm ${meant}? see: dlm --help`);
  }
  const [command, rest] = [parts.slice(0, known + 1).join(' '), parts.slice(known + 1)];
  return new DlmError('DLM_USAGE', `${rest.map((word) => `'${escapeText(word)}'`).join(' ')} ${rest.length === 1 ? 'was' : 'were'} not expected here`, `see: dlm ${command} --help`);
}

/** The command whose name is nearest, among those of the topic if there is one; null if none is near. */
function meantBy([first = '', second]: readonly string[], config: Config): string | null {
  const isTopic = second !== undefined && config.findTopic(first) !== undefined;
  const named = config.commandIDs.map((id) => id.split(':'));
  if (!isTopic) return nearest(first, [...new Set(named.map(([word]) => word!))]);
  const word = nearest(second, named.flatMap((words) => (words[0] === first && words[1] !== undefined ? [words[1]] : [])));
  return word === null ? null : `${first} ${word}`;
}
