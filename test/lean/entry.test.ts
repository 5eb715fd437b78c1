/**
 * bin/dlm finds what was built, wherever it is called from, and a code cache that is
 * missing, old, damaged or of another Node changes nothing but the time it takes.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ProgramCopy, checkout, type Ended } from './programs.js';

const wanted: Ended = {
  exit: 0,
  out: 'PR  protected read: reads, and nobody writes; the usual shared lock\ngets on with NL CR PR\n',
  err: '',
};

describe('bin/dlm', () => {
  const program = new ProgramCopy({ bundles: true });
  after(() => program.clear());

  test('works through symbolic links and from any folder', async () => {
    const link = join(program.root, 'a link');
    symlinkSync(program.dlm, link);
    symlinkSync('a link', `${link} to it`);
    assert.deepEqual(await program.run(['modes', 'PR'], { program: `${link} to it`, cwd: '/' }), wanted);
  });

  test('starts a node that starts as it did', async () => {
    const { exit, err } = await program.run(['lock', 'first', '--verbose', '--', 'true']);
    assert.equal(exit, 0);
    assert.match(err, /started a node in the background/);
    const { pid } = JSON.parse((await program.run(['node', 'status', '--json'])).out) as { pid: number };
    assert.deepEqual(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, 5), [program.dlm, 'node', 'join', '--as-background']);
  });

  test('reads no file by a word of the line that is not the name of a command', async () => {
    writeFileSync(join(program.root, 'dist/bundle/strange.cjs'), 'process.exit(42)');
    for (const word of ['../strange', '..', './strange', 'lean/../strange', '/etc/passwd', '__proto__']) {
      assert.equal((await program.run([word])).exit, 64, word);
    }
  });
});

describe('without bundles', () => {
  const program = new ProgramCopy({ bundles: false });
  after(() => program.clear());

  test('the program runs from its many files, and its nodes too', async () => {
    assert.deepEqual(await program.run(['modes', 'PR']), wanted);
    assert.equal((await program.run(['lock', 'first', '--', 'sh', '-c', 'exit 7'])).exit, 7);
    assert.equal((await program.run(['node', 'status'])).exit, 0);
    assert.equal((await program.run(['node', 'leave'])).exit, 0);
  });

  test('and where nothing is built, it says so', async () => {
    rmSync(join(program.root, 'dist'), { recursive: true });
    const { exit, err } = await program.run(['modes', 'PR']);
    assert.deepEqual([exit, err], [70, `dlm: it is not built yet\nhint: npm run build, in ${program.root}\n`]);
  });
});

/** What may become of a cache, made from good bytes. */
const damages: Readonly<Record<string, (good: Buffer) => Buffer>> = {
  'is empty': () => Buffer.alloc(0),
  'ends early': (good) => good.subarray(0, good.length >> 1),
  'ends within its first line': (good) => good.subarray(0, 20),
  'has lost a byte': (good) => good.subarray(0, -1),
  'belongs to another bundle': (good) => flipped(good, 5),
  'is damaged at its beginning': (good) => flipped(good, 40),
  'is damaged somewhere': (good) => flipped(good, good.length >> 2),
  'is damaged in the second copy': (good) => flipped(good, good.length - 7),
  'is all zeros': (good) => Buffer.concat([good.subarray(0, 32), Buffer.alloc(good.length - 32)]),
};

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at] = other[at]! ^ 0x41;
  return other;
}

describe('a code cache', () => {
  const program = new ProgramCopy({ bundles: true });
  after(() => program.clear());
  const folder = join(program.root, 'dist/bundle/lean');
  const path = join(folder, `modes-${process.version}-${process.arch}.cache`);

  // Others in the checkout may have been at their own when it was copied.
  const unfinished = (): string[] => readdirSync(folder).filter((name) => /^modes-.*\.cache\./.test(name));
  const look = async (): Promise<void> => assert.deepEqual(await program.run(['modes', 'PR']), wanted);
  const good = async (): Promise<Buffer> => {
    rmSync(path, { force: true, recursive: true });
    await look();
    return readFileSync(path);
  };

  test('is written after a run that had none, and then left alone', async () => {
    await good();
    const { ino } = statSync(path);
    await look();
    assert.equal(statSync(path).ino, ino);
    assert.deepEqual(unfinished(), []);
  });

  test('is written, too, by a command that dies of the signal that has ended the one under its lock', async () => {
    const ofLock = path.replace('/modes-', '/lock-');
    rmSync(ofLock, { force: true });
    const { exit } = await program.run(['lock', 'n', '-q', '--', 'sh', '-c', 'kill -TERM $$']);
    assert.equal(exit, null, 'a signal has ended it');
    assert.ok(existsSync(ofLock));
  });

  for (const [damage, make] of Object.entries(damages)) {
    test(`that ${damage} is not taken for good`, async () => {
      writeFileSync(path, make(await good()));
      await look();
      await look();
    });
  }

  test('of an older bundle is replaced', async () => {
    const bundle = join(folder, 'modes.cjs');
    const before = await good();
    const text = readFileSync(bundle, 'utf8');
    writeFileSync(bundle, `// ${'0'.repeat(28)}\n${text.slice(32).replace('the usual shared lock', 'quite another lock...')}`);
    assert.match((await program.run(['modes', 'PR'])).out, /quite another lock/);
    assert.notEqual(readFileSync(path, 'latin1').slice(0, 32), before.toString('latin1', 0, 32));
    writeFileSync(bundle, text);
    await look();
  });

  test('of another Node is not looked at', async () => {
    await good();
    const other = path.replace(process.version, 'v20.0.0');
    renameSync(path, other);
    await look();
    assert.ok(existsSync(path) && existsSync(other));
  });

  test('is done without where V8 runs with other flags, or none can be written', async () => {
    await good();
    assert.deepEqual(await program.run(['--no-opt', program.dlm, 'modes', 'PR'], { program: process.execPath }), wanted);
    rmSync(path);
    mkdirSync(join(path, 'in the way'), { recursive: true });
    await look();
    assert.deepEqual(unfinished(), []);
  });
});

test('the checkout itself has caches for what is used most', () => {
  const caches = readdirSync(join(checkout, 'dist/bundle/lean')).filter((name) => name.includes(`-${process.version}-`));
  for (const name of ['lock', 'unlock', 'lvb.get', 'node.status', 'locks']) assert.ok(caches.some((cache) => cache.startsWith(`${name}-`)), name);
});
