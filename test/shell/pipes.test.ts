/**
 * The lines between a shell and its node, spoken by hand: what is granted into the
 * void is given back, and what makes no sense does no harm.
 */
import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { attach, serveNode, type NodeClient, type ServedNode } from '../../src/core/index.js';
import { speakerFor } from '../../src/terminal/shell-verbs.js';
import { scratch, silent } from '../host/scratch.js';
import { until } from '../kill/processes.js';

const { O_RDONLY, O_RDWR, O_NONBLOCK } = constants;

/** A shell without a shell. */
class Pipes {
  readonly folder: string;
  readonly #requests: number;
  readonly #answers: number;
  #heard = '';

  constructor(folder: string) {
    this.folder = folder;
    this.#requests = openSync(join(folder, 'requests'), O_RDWR | O_NONBLOCK);
    this.#answers = openSync(join(folder, 'answers'), O_RDONLY | O_NONBLOCK);
  }

  say(serial: number, heard: number, verb: string, ...words: string[]): void {
    this.write(`\t${[process.pid, serial, heard, verb, ...words].join('\t')}\t\n`);
  }

  write(line: string): void {
    writeSync(this.#requests, line);
  }

  /** The answer to that call: its words, and the text that follows. */
  async answer(serial: number): Promise<{ words: string[]; text: string }> {
    const found = await until(`call ${serial} is answered`, () => new RegExp(`^@${serial} [\\d].*\\n([^@]*)`, 'm').exec(this.#read()));
    return { words: found[0].split('\n')[0]!.trimEnd().split(' ').slice(1), text: found[1]! };
  }

  async exitOf(serial: number): Promise<string> {
    return (await this.answer(serial)).words[0]!;
  }

  async isWaiting(serial: number): Promise<void> {
    await until(`call ${serial} waits`, () => this.#read().includes(`@${serial} + `));
  }

  /** Every first line of an answer. */
  heads(): string[] {
    return this.#read().split('\n').filter((line) => line.startsWith('@'));
  }

  close(): void {
    closeSync(this.#requests);
    closeSync(this.#answers);
  }

  #read(): string {
    const bytes = Buffer.alloc(1 << 16);
    try {
      this.#heard += bytes.toString('utf8', 0, readSync(this.#answers, bytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
    return this.#heard;
  }
}

describe('the pipes of a shell', () => {
  let node: ServedNode;
  let client: NodeClient;
  let clearFolder = (): void => undefined;
  before(async () => {
    // What is registered in here with the runner is done when this hook is over, and a node leaves when its folder is gone.
    const dir = scratch({ after: (clear) => (clearFolder = clear as () => void) });
    node = await serveNode({ dir, shells: speakerFor, log: silent });
    client = await attach({ dir });
  });
  after(async () => {
    await client.close();
    await node.leave({ force: true });
    clearFolder();
  });

  const open = async (): Promise<Pipes> => new Pipes((await client.port.openShell('default')).folder);
  const greeted = async (): Promise<Pipes> => {
    const pipes = await open();
    pipes.say(0, 0, 'hello');
    assert.equal(await pipes.exitOf(0), '0');
    return pipes;
  };
  const holders = async (name: string): Promise<number> => (await client.locks({ name })).length;

  test('every answer begins with a line of the same length', async () => {
    const pipes = await greeted();
    const exits: string[] = [];
    for (const [index, verb] of ['lock', 'unlock', 'unlock'].entries()) {
      pipes.say(index + 1, index, verb, 'a');
      exits.push(await pipes.exitOf(index + 1));
    }
    assert.deepEqual(exits, ['0', '0', '89']);
    const { words, text } = await pipes.answer(3);
    assert.equal(text.split('\n').length - 1, Number(words[1]));
    assert.deepEqual(pipes.heads().map(({ length }) => length), [159, 159, 159, 159]);
    pipes.close();
  });

  test('a lock whose grant was not heard is given back before the next call', async () => {
    const pipes = await greeted();
    pipes.say(1, 0, 'lock', 'b');
    assert.equal(await pipes.exitOf(1), '0');
    pipes.say(2, 0, 'lock', 'b', 'EX', '-n');
    assert.equal(await pipes.exitOf(2), '0');
    assert.equal(await holders('b'), 1);
    pipes.close();
  });

  test('a wait that nobody waits for any more is taken back before the next call', async () => {
    const [one, other] = [await greeted(), await greeted()];
    one.say(1, 0, 'lock', 'c');
    await one.exitOf(1);
    other.say(1, 0, 'lock', 'c');
    await other.isWaiting(1);
    other.say(2, 0, 'lock', 'd');
    assert.deepEqual([await other.exitOf(1), await other.exitOf(2)], ['83', '0']);
    assert.equal(await holders('c'), 1);
    one.close();
    other.close();
  });

  test('a call that is cancelled has one end: granted and given back, or not granted', async () => {
    const [one, other] = [await greeted(), await greeted()];
    one.say(1, 0, 'lock', 'e');
    await one.exitOf(1);
    other.say(1, 0, 'lock', 'e');
    await other.isWaiting(1);
    one.say(2, 1, 'unlock', 'e');
    other.say(1, 0, 'cancel');
    await other.answer(1);
    await until('nobody has it', async () => (await holders('e')) === 0);
    other.say(0, 0, 'cancel');
    one.close();
    other.close();
  });

  test('calls that pile up are taken back one by one', async () => {
    const [one, other] = [await greeted(), await greeted()];
    one.say(1, 0, 'lock', 'f');
    await one.exitOf(1);
    for (let serial = 1; serial <= 50; serial += 1) other.say(serial, 0, 'lock', 'f');
    other.say(51, 0, 'lock', 'g');
    assert.equal(await other.exitOf(51), '0');
    assert.equal(await holders('f'), 1);
    one.close();
    other.close();
  });

  test('lines that make no sense are passed over', async () => {
    const pipes = await greeted();
    for (const line of ['\n', 'nonsense\n', '\t\t\t\t\n', `\t${process.pid}\t1\tx\tlock\ta\t\n`, '\t1\t1\t0\tlock\ta\t\n', '\t999999999\t0\t0\tjoin\t\n', '\xff\xfe\n']) pipes.write(line);
    const exits: string[] = [];
    for (const [index, [verb, word]] of [['nothing', ''], ['lvb', 'nothing'], ['lock', '\ufffd'], ['lock', 'h']].entries()) {
      pipes.say(index + 1, index, verb!, word!);
      exits.push(await pipes.exitOf(index + 1));
    }
    assert.deepEqual(exits, ['106', '64', '102', '0']);
    pipes.close();
  });

  test('a line without an end is the end', async () => {
    const pipes = await greeted();
    pipes.say(1, 0, 'lock', 'i');
    await pipes.exitOf(1);
    pipes.write('x'.repeat(5_000));
    await until('it is free', async () => (await holders('i')) === 0);
    pipes.close();
  });

  test('whoever begins without hello, or as a process that is not there, is turned away', async () => {
    const [one, other] = [await open(), await open()];
    one.say(1, 0, 'lock', 'j');
    other.write('\t999999999\t0\t0\thello\t\n');
    await until('both are gone', () => !existsSync(one.folder) && !existsSync(other.folder));
    one.close();
    other.close();
  });

  test('the session counts as one, and ends with its pipe', async () => {
    const before = (await client.status()).sessions;
    const pipes = await greeted();
    assert.equal((await client.status()).sessions, before + 1);
    pipes.say(1, 0, 'lock', 'k');
    await pipes.exitOf(1);
    pipes.close();
    await until('it is over', async () => (await client.status()).sessions === before);
    assert.equal(await holders('k'), 0);
    assert.equal(existsSync(pipes.folder), false);
  });

  test('a node inside a program that has no words for shells says so', async (context) => {
    const dir = scratch(context);
    const other = await serveNode({ dir, log: silent });
    const guest = await attach({ dir });
    await assert.rejects(guest.port.openShell('default'), { code: 'DLM_PROTOCOL', message: /has no words for shells/ });
    await guest.close();
    await other.leave();
  });
});
