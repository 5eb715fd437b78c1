/**
 * What dlm_lock and its sisters do, carried out in the node for one shell.
 *
 * Outcomes, exit codes and words are those of the commands of the same names. What
 * a shell alone can do wrong is to wait for itself, since it does one thing at a
 * time; that is refused as the deadlock it is.
 */
import { DlmError, defaultLockspace, escapeText, LockHandle, type LockInfo, type LockspaceClient, type ModeName, type ShellAnswer, type ShellCall, type ShellParty, type ShellSpeaker } from '../core/index.js';
import { anchorValue, dropAnchor } from './anchor.js';
import { needLockspace } from './base-command.js';
import { describeResults } from './describe.js';
import { locksAround, needWriter } from './held-lock.js';
import { flagsFor, parseFlag, parseMode } from './law-words.js';
import { needName, type NamedLine } from './names.js';
import { parseBig } from './numbers.js';
import { limitsOf, lockLists, waitFor, type Waiting } from './patience.js';
import { inWords, isDlmError } from './report.js';
import { ShellLocks, isLost, type ShellLock } from './shell-locks.js';
import { helpFor, helpOf, lockspaceOf, misused, parseLine, patienceOf, type Line } from './shell-words.js';
import { added, differs, exchangeIn, isAsExpected, needRoom, notValid, readValue, type Found } from './value-changes.js';
import { hexOfValue, textOfValue, valueGiven, valueOfHex, valueOfText } from './values.js';

/** Speaks with one shell. */
export function speakerFor(shell: ShellParty): ShellSpeaker {
  const verbs = new ShellVerbs(shell);
  return async (call) => {
    try {
      return await verbs.carryOut(call);
    } catch (thrown) {
      const { exit, words } = inWords(thrown);
      return { exit, text: words };
    }
  };
}

/** A resource as the line names it. */
interface Target extends NamedLine {
  readonly lockspace: string;
  readonly place: string;
}

/** A lock that the line means; `own` if this shell has taken it. */
interface Meant {
  readonly handle: LockHandle;
  readonly own: ShellLock | null;
  readonly shown: string;
  readonly lockspace: string;
  readonly rest: readonly string[];
}

const lockId = /^(.+):\d+\.\d+\.[0-9a-f]{8}$/s;

class ShellVerbs {
  readonly #shell: ShellParty;
  readonly #locks = new ShellLocks();
  readonly #spaces = new Map<string, LockspaceClient>();
  #lockspace: string;
  /** The changes of values under locks of this shell, to the last one that has begun. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(shell: ShellParty) {
    this.#shell = shell;
    this.#lockspace = shell.lockspace;
  }

  async carryOut(call: ShellCall): Promise<ShellAnswer> {
    if (call.verb === 'use') return this.#use(call.words[0] ?? this.#lockspace);
    if (!['lock', 'convert', 'unlock', 'lvb'].includes(call.verb)) throw new DlmError('DLM_PROTOCOL', `a shell has no verb ${escapeText(call.verb)}`);
    const help = helpOf(call.verb, call.words);
    if (help !== null) return { exit: 0, text: help };
    const line = parseLine(call.verb, call.words);
    if (line.has('help')) return { exit: 0, text: helpFor(line.name) };
    try {
      return await this.#answer(line, call);
    } catch (error) {
      // It has been removed, and may come back as another one.
      if (isDlmError(error, 'DLM_LOCKSPACE_UNKNOWN')) this.#spaces.clear();
      throw error;
    }
  }

  #answer(line: Line, call: ShellCall): Promise<ShellAnswer> {
    switch (line.name) {
      case 'dlm_lock':
        return this.#lock(line, call);
      case 'dlm_convert':
        return this.#convert(line, call);
      case 'dlm_unlock':
        return this.#unlock(line, call);
      case 'dlm_lvb get':
        return this.#getValue(line, call);
      case 'dlm_lvb set':
        return this.#setValue(line, call);
      case 'dlm_lvb incr':
        return this.#increase(line, call);
      case 'dlm_lvb cas':
        return this.#exchange(line, call);
      case 'dlm_lvb drop':
        return this.#dropValue(line);
    }
  }

  #use(lockspace: string): ShellAnswer {
    this.#lockspace = lockspace;
    return { exit: 0 };
  }

  async #lock(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const target = this.#target(line);
    const mode = this.#mode(line, target.rest, line.has('shared') ? 'PR' : line.has('exclusive') ? 'EX' : null) ?? 'EX';
    const space = await this.#space(target.lockspace);
    const flags = flagsFor(line.all('flag').map(parseFlag), { PERSISTENT: line.has('persistent') });
    const { handle, undo } = await this.#take(line, call, target, { space, mode, flags });
    return { exit: 0, lock: { id: handle.id, mode: handle.mode ?? mode, token: handle.token }, undo };
  }

  /** A new lock, granted, and how to give it back. */
  async #take(
    line: Line,
    call: ShellCall,
    { name, place, shown }: Target,
    { space, mode, flags }: { space: LockspaceClient; mode: ModeName; flags: ReturnType<typeof flagsFor> },
  ): Promise<{ handle: LockHandle; undo: () => Promise<void> }> {
    const { mustNotWait, timeout } = limitsOf(patienceOf(line));
    const inTheWay = mustNotWait ? null : this.#locks.inTheWayOf(mode, place, call.asker);
    if (inTheWay !== null) throw waitsForItself(inTheWay, shown);

    const isMine = (lock: LockInfo): boolean => lock.state === 'waiting' && lock.owner.pid === this.#shell.pid && lock.requested === mode;
    const waiting = this.#waiting(line, call, { lockspace: space.name, ...lockLists(this.#shell.client, { lockspace: space.name, name }), shown, mode, isMine });
    const handle = new LockHandle(space);
    space.start(handle, name, { mode, flags: mustNotWait ? [...flags, 'NOQUEUE'] : flags, blocking: false });
    if (handle.mode === null) {
      await waitFor(waiting, { first: null }, () => handle.settledWithin({ signal: call.signal, ...(timeout === undefined ? {} : { timeout }) }));
    }
    const lock = this.#locks.add(handle, place, shown, call.asker);
    this.#tellResults(waiting, handle);
    const undo = async (): Promise<void> => {
      this.#locks.remove(lock);
      await handle.unlock().catch(() => undefined);
    };
    return { handle, undo };
  }

  async #convert(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const { handle, own, shown, lockspace, rest } = await this.#meant(line, call);
    const mode = this.#mode(line, rest, null);
    if (mode === null) throw misused(line.name, 'the MODE is missing');
    const { mustNotWait, timeout } = limitsOf(patienceOf(line));
    const inTheWay = own === null || mustNotWait ? null : this.#locks.inTheWayOf(mode, own.place, call.asker, own);
    if (inTheWay !== null) throw waitsForItself(inTheWay, shown);

    const value = valueOf(line);
    if (value !== undefined) await needWriter(this.#shell.client, handle, mode);
    const flags = line.all('flag').map(parseFlag);
    const waiting = this.#waiting(line, call, { lockspace, ...locksAround(this.#shell.client, handle.id), shown, mode, isMine: (lock) => lock.id === handle.id });
    await waitFor(waiting, { first: null }, () =>
      handle.convert(mode, {
        flags: mustNotWait ? [...flags, 'NOQUEUE'] : flags,
        signal: call.signal,
        ...(value === undefined ? {} : { value }),
        ...(timeout === undefined ? {} : { timeout }),
      }),
    );
    this.#tellResults(waiting, handle);
    return { exit: 0, lock: { id: handle.id, mode: handle.mode ?? mode, token: handle.token } };
  }

  async #unlock(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const { handle, own, rest } = await this.#meant(line, call);
    if (rest.length > 0) throw misused(line.name, `${escapeText(rest[0]!)} was not expected`);
    const value = valueOf(line);
    if (value !== undefined) await needWriter(this.#shell.client, handle, null);
    await handle.unlock({
      flags: flagsFor(line.all('flag').map(parseFlag), { IVVALBLK: line.has('invalidate'), FORCEUNLOCK: line.has('force') }),
      ...(value === undefined ? {} : { value }),
    });
    if (own !== null) this.#locks.remove(own);
    return { exit: 0 };
  }

  async #getValue(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const { name, shown, lockspace, rest } = this.#target(line);
    if (rest.length > 0) throw misused(line.name, `${escapeText(rest[0]!)} was not expected`);
    const { value, valueState } = await readValue(await this.#space(lockspace), name);
    if (value === null) throw new DlmError('DLM_NO_VALUE', `${shown} has no value`);
    if (valueState === 'invalid') {
      if (!line.has('allow-invalid')) throw notValid(shown);
      if (!line.has('quiet')) call.note(`dlm: the value of ${shown} is not valid; this is the last one written\n`);
    }
    return { exit: 0, text: `${line.has('hex') ? hexOfValue(value) : textOfValue(value)}\n` };
  }

  async #setValue(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const target = this.#target(line);
    const value = valueToSet(line, target.rest);
    const space = await this.#space(target.lockspace);
    needRoom(value, space.valueLength);
    await this.#changeValue(line, call, { target, space, decide: () => value });
    return { exit: 0 };
  }

  async #increase(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const target = this.#target(line);
    if (target.rest.length > 0) throw misused(line.name, `${escapeText(target.rest[0]!)} was not expected`);
    const by = parseBig(line.text('by') ?? '1');
    const space = await this.#space(target.lockspace);
    const terms = { shown: target.shown, room: space.valueLength, allowInvalid: line.has('allow-invalid') };
    const value = await this.#changeValue(line, call, { target, space, decide: (found) => added(found, by, terms) });
    return { exit: 0, text: `${textOfValue(value)}\n` };
  }

  async #exchange(line: Line, call: ShellCall): Promise<ShellAnswer> {
    const target = this.#target(line);
    const { expected, next } = exchangeIn(target.rest, { absent: line.has('absent'), hex: line.has('hex') });
    const space = await this.#space(target.lockspace);
    for (const value of [expected, next]) needRoom(value ?? new Uint8Array(), space.valueLength);
    const terms = { shown: target.shown, room: space.valueLength, allowInvalid: line.has('allow-invalid') };
    const decide = (found: Found): Uint8Array => {
      if (isAsExpected(found, expected, terms)) return next;
      throw differs(found, expected, target.shown, line.has('quiet'));
    };
    await this.#changeValue(line, call, { target, space, decide });
    return { exit: 0 };
  }

  /**
   * Under the lock that the shell has, if it may write; or under one for this
   * purpose. One after the other, for subshells share the lock of their shell.
   */
  #changeValue(
    line: Line,
    call: ShellCall,
    { target, space, decide }: { target: Target; space: LockspaceClient; decide: (found: Found) => Uint8Array },
  ): Promise<Uint8Array> {
    const write = async (handle: LockHandle): Promise<Uint8Array> => {
      const value = decide(await readValue(space, target.name));
      await handle.convert(handle.mode!, { value });
      await anchorValue(this.#shell.client, space, target.name);
      return value;
    };
    const writer = this.#locks.writer(target.place)?.handle;
    if (writer !== undefined) {
      const change = this.#changes.then(() => write(writer));
      this.#changes = change.catch(() => undefined);
      return change;
    }
    return this.#underLock(line, call, { target, space, write });
  }

  async #underLock(
    line: Line,
    call: ShellCall,
    { target, space, write }: { target: Target; space: LockspaceClient; write: (handle: LockHandle) => Promise<Uint8Array> },
  ): Promise<Uint8Array> {
    const { handle, undo } = await this.#take(line, call, target, { space, mode: 'EX', flags: [] });
    try {
      return await write(handle);
    } finally {
      await undo();
    }
  }

  async #dropValue(line: Line): Promise<ShellAnswer> {
    const { name, shown, lockspace } = this.#target(line);
    if (await dropAnchor(this.#shell.client, lockspace, name)) return { exit: 0 };
    throw new DlmError('DLM_NO_VALUE', `the node keeps no value of ${shown}`);
  }

  /** Only the default lockspace is joined without being asked for. */
  async #space(name: string): Promise<LockspaceClient> {
    const known = this.#spaces.get(name);
    if (known !== undefined) return known;
    if (name !== defaultLockspace) await needLockspace(this.#shell.client, name);
    const space = await this.#shell.client.lockspace(name);
    this.#spaces.set(name, space);
    return space;
  }

  /** The resource that the first word names, or --name-hex. */
  #target(line: Line): Target {
    const named = needName(line.words, line.text('name-hex'));
    const lockspace = lockspaceOf(line, this.#lockspace);
    return { ...named, lockspace, place: `${lockspace}\0${Buffer.from(named.name).toString('hex')}` };
  }

  /** The lock that the first word means: an id, or the name it was taken on. */
  async #meant(line: Line, call: ShellCall): Promise<Meant> {
    const [first = '', ...rest] = line.words;
    const id = line.text('name-hex') === undefined ? lockId.exec(first) : null;
    const target = id === null ? this.#target(line) : null;
    const own = target === null ? this.#locks.withId(first) : this.#locks.named(target.place, call.asker);
    const shown = own?.shown ?? (target === null ? `lock ${escapeText(first)}` : target.shown);
    if (own !== null && isLost(own)) {
      if (call.verb === 'unlock') this.#locks.remove(own);
      const reason = await new Promise<DlmError>((resolve) => own.handle.on('lost', resolve));
      throw new DlmError('DLM_LOST', `${shown} is no longer held: ${reason.message}`);
    }
    if (target === null) {
      return { handle: own?.handle ?? (await this.#shell.client.lockOf(first)), own, shown, lockspace: id![1]!, rest };
    }
    if (own === null) throw new DlmError('DLM_LOCK_UNKNOWN', `this shell has no lock on ${shown}`);
    return { handle: own.handle, own, shown, lockspace: target.lockspace, rest: target.rest };
  }

  /** The mode, given in one way at most; null if it is not. */
  #mode(line: Line, words: readonly string[], other: ModeName | null): ModeName | null {
    const [word, ...tooMany] = words;
    if (tooMany.length > 0) throw misused(line.name, `${escapeText(tooMany[0]!)} was not expected`);
    const given = [word, line.text('mode'), other ?? undefined].filter((typed) => typed !== undefined);
    if (given.length > 1 || (line.has('shared') && line.has('exclusive'))) throw misused(line.name, 'the mode is given twice');
    return given[0] === undefined ? null : parseMode(given[0]);
  }

  #waiting(line: Line, call: ShellCall, about: Pick<Waiting, 'lockspace' | 'locks' | 'locksHere' | 'shown' | 'mode' | 'isMine'>): Waiting {
    const isQuiet = line.has('quiet');
    const note = (words: string): void => {
      if (!isQuiet) call.note(`dlm: ${words}\n`);
    };
    const takerOf = (id: string): number | null => this.#locks.withId(id)?.taker ?? null;
    return { ...about, status: () => this.#shell.client.status(about.lockspace), caller: call.asker, takerOf, patience: patienceOf(line), isQuiet, note };
  }

  #tellResults({ note }: Waiting, handle: LockHandle): void {
    for (const words of describeResults(handle.results, handle.mode)) note(words);
  }
}

function waitsForItself({ handle }: ShellLock, shown: string): DlmError {
  return new DlmError(
    'DLM_DEADLOCK',
    `this shell has ${shown} in ${handle.mode} already, and would wait for itself`,
    'convert the lock that it has, with dlm_convert, or give it back first',
  );
}

function valueOf(line: Line): Uint8Array | undefined {
  return valueGiven({ value: line.text('value'), 'value-hex': line.text('value-hex') });
}

function valueToSet(line: Line, [word, ...tooMany]: readonly string[]): Uint8Array {
  const hex = line.text('value-hex');
  if (tooMany.length > 0 || (word === undefined) === (hex === undefined)) throw misused(line.name, 'one value is needed');
  if (word === '-') throw misused(line.name, 'a value on standard input is for the command: dlm lvb set NAME -');
  return hex === undefined ? valueOfText(word!) : valueOfHex(hex);
}
