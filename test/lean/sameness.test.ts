/**
 * The bundled program does and says what the program in many files does and says.
 *
 * The same lines go to both, good ones and bad ones, with the same node behind them;
 * exit codes and both streams must be the same, but for numbers and what depends on
 * their length.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ProgramCopy, checkout, type Ended } from './programs.js';

const { commands } = JSON.parse(readFileSync(join(checkout, 'oclif.manifest.json'), 'utf8')) as { commands: Record<string, unknown> };

/** Lines, and the exit codes that belong to them. */
const lines: readonly (readonly [readonly string[], number | null])[] = [
  [[], 0],
  [['--version'], 0],
  [['nonsense'], 64],
  [['lock'], 64],
  [['lock', 'n', '--', 'true'], 0],
  [['lock', 'n', '--', 'sh', '-c', 'exit 7'], 7],
  [['lock', 'n', '--', 'sh', '-c', 'kill -9 $$'], 137],
  // The parent sees a death by the signal, and no exit code.
  [['lock', 'n', '--', 'sh', '-c', 'kill -TERM $$'], null],
  [['lock', 'n', '--', 'sh', '-c', 'echo "$DLM_RESOURCE $DLM_MODE" "$@"', 'sh', '--json'], 0],
  [['lock', 'n', '--', './no-such-thing'], 127],
  [['lock', 'n', '--', '/etc/passwd'], 126],
  [['lock', 'n', '--'], 64],
  [['lock', 'n', 'true'], 64],
  [['lock', '', '--', 'true'], 102],
  [['lock', '--', '-name', '--', 'true'], 0],
  [['lock', 'n', '-m', 'XX', '--', 'true'], 64],
  [['lock', 'n', '-m', 'XX', '--json'], 64],
  [['lock', 'n', '-n', '-w', '5', '--', 'true'], 64],
  [['lock', 'n', '-E', '300', '--', 'true'], 64],
  [['lock', 'n', '--nonsense', '--', 'true'], 64],
  [['lock', 'n', '-w', 'soon', '--', 'true'], 64],
  [['lock', 'n', '-l', 'nowhere', '--', 'true'], 92],
  [['lock', 'n', '--in-process', '--', 'true'], 96],
  [['lock', 'n', '--in-process', '--alone', '--', 'true'], 0],
  [['lock', 'held', '-n', '--', 'true'], 80],
  [['lock', 'held', '-nq', '--', 'true'], 80],
  [['lock', 'held', '-n', '--json', '--', 'true'], 80],
  [['lock', 'held', '-nE', '7', '--', 'true'], 7],
  [['lock', 'held', '-w', '0.01', '--', 'true'], 81],
  [['unlock', 'bogus'], 64],
  [['unlock', '--name', 'nothing'], 89],
  [['convert', 'bogus', '--name', 'n', '-m', 'EX'], 64],
  [['lock', '-m', 'PR', 'x', 'PR', '--', 'sh', '-c', 'echo $DLM_RESOURCES'], 0],
  [['lock', 'n', '-e', '--nb', '-c', 'exit 6'], 6],
  [['lock', 'n', '--quiet=1', '--', 'true'], 64],
  [['lock', '--', '--'], 64],
  [['unlock', 'default:1.7.0000002a'], 89],
  [['unlock'], 64],
  [['convert', 'default:1.7.0000002a', '-m', 'PR'], 89],
  [['convert', 'default:1.7.0000002a'], 64],
  [['cancel', 'default:1.7.0000002a', '--json'], 89],
  [['lvb', 'get', 'value'], 0],
  [['lvb', 'get', 'value', '--json'], 0],
  [['lvb', 'get', 'nothing'], 85],
  [['lvb', 'set', 'value', 'forty-two'], 0],
  [['lvb', 'set', 'a', 'b', 'c'], 64],
  [['lvb', 'drop', 'nothing'], 85],
  [['lvb', 'incr', 'value'], 108],
  [['lvb', 'incr', 'number', '--by', '-7', '-q'], 0],
  [['lvb', 'cas', 'value', 'one', 'two'], 107],
  [['lvb', 'cas', 'value', 'forty-two', 'forty-two'], 0],
  [['locks', 'held'], 0],
  [['locks', 'held', 'too', 'many'], 64],
  [['lockspace', 'list'], 0],
  [['lockspace', 'show', 'nowhere'], 92],
  [['modes'], 0],
  [['modes', 'PR', 'CW'], 0],
  [['modes', 'XX'], 64],
  [['codes', '81'], 0],
  [['node', 'status'], 0],
  [['node', 'status', 'extra'], 64],
  [['node:status'], 0],
  [['orphans', 'list'], 0],
  [['help', 'lock'], 0],
];

const topics = [['lvb'], ['node'], ['lockspace'], ['orphans'], ['sim']];

describe('bundled and not', { concurrency: 2 }, () => {
  const unbundled = new ProgramCopy({ bundles: false });
  const bundled = new ProgramCopy({ bundles: true }, unbundled.node);

  before(async () => {
    await unbundled.run(['lvb', 'set', 'value', 'forty-two']);
    await unbundled.run(['lock', 'held', '--owner-pid', String(process.pid)]);
  });
  after(async () => {
    await unbundled.clear();
    await bundled.clear();
  });

  async function same(line: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const wanted = await unbundled.run(line, { env });
    const found = await bundled.run(line, { env });
    assert.deepEqual(withoutNumbers(found), withoutNumbers(wanted));
    return found;
  }

  for (const [line, exit] of lines) {
    test(`dlm ${line.join(' ')}`, async () => assert.equal((await same(line)).exit, exit));
  }

  // What makes a page of help is the same for all: some of them tell.
  for (const words of [...Object.keys(commands).filter((_, at) => at % 4 === 0).map((id) => id.split(':')), ...topics]) {
    test(`dlm ${words.join(' ')} --help`, async () => assert.match((await same([...words, '--help'])).out, /USAGE/));
  }

  test('where no node is, and none shall be started', async () => {
    const env = { DLM_DIR: join(unbundled.root, 'nobody') };
    assert.equal((await same(['lock', 'n', '--no-start', '--', 'true'], env)).exit, 95);
    assert.equal((await same(['locks'], env)).exit, 95);
    assert.equal((await same(['node', 'status'], env)).exit, 1);
  });

  test('a setting that only the library heeds', async () => {
    assert.match((await same(['modes', 'PR'], { DLM_CONTENT_TYPE: 'json' })).out, /^\{/);
  });

  test('a reader who has gone away', async () => {
    const env = { DLM_DIR: unbundled.node };
    const line = ['-c', `"$1" codes | true; echo "\${PIPESTATUS[0]}"`, 'bash'];
    const wanted = await unbundled.run([...line, unbundled.dlm], { env, program: 'bash' });
    assert.deepEqual(await bundled.run([...line, bundled.dlm], { env, program: 'bash' }), wanted);
    assert.deepEqual(wanted, { exit: 0, out: '0\n', err: '' });
  });
});

/** Ids, pids, ages and tokens differ from run to run, and columns with them. */
function withoutNumbers({ exit, out, err }: Ended): Ended {
  // A minute and a few seconds are two numbers, an even minute is one.
  const duration = /\d[\d.]* (?:ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?/g;
  const plain = (text: string): string => text.replace(duration, '#').replace(/[0-9a-f]*\d[0-9a-f.]*/g, '#').replace(/ +/g, ' ');
  return { exit, out: plain(out), err: plain(err) };
}
