/**
 * Every view is written down here before anybody is told of it.
 *
 * That is what lets the registrar die at any moment: its successor finds the last
 * view, by whom it is to be verified who lives, and can hand to each member those
 * that it has missed. Nothing has to be asked of a member that is stopped.
 *
 * The file lies beside the registrar's lock, and only the holder of that lock opens
 * it. A killed process loses nothing of what it has written, so nothing is forced
 * to the disk: when the machine goes down, all members do. A line without its end
 * was being written by a registrar that died, and nobody was told of it.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { DlmError } from '../../base/errors.js';
import { codeOf, unusable } from '../system-error.js';
import { entryOf, isCount } from './registrar-protocol.js';
import type { Entry } from './roll.js';

/** What the processes in the entries mean: numbers of one run of the machine, in one pid namespace. */
export interface Home {
  readonly boot: string;
  readonly pidns: string | null;
}

type Incarnations = readonly (readonly [number, number])[];

const format = 1;
/** Above this, in bytes, the oldest entries are left out; and nobody is given those any more. */
const lengthMax = 1 << 22;
const beginning: Entry = { id: 0, members: [], leftCleanly: [] };

export class ViewJournal {
  readonly #path: string;
  readonly #home: Home;
  readonly #earlier: Incarnations;
  #entries: { readonly entry: Entry; readonly length: number }[] = [];
  #file: number | null = null;
  #length = 0;

  private constructor(path: string, home: Home, entries: readonly Entry[], earlier: Incarnations) {
    this.#path = path;
    this.#home = home;
    this.#earlier = earlier;
    for (const entry of entries) this.#keep(entry, textOf(entry).length);
  }

  /**
   * Read what is there and go on with it. Throws `DLM_STATE_UNUSABLE`, and `DLM_NOT_PERMITTED` if its members
   * cannot be verified from here.
   */
  static open(path: string, home: Home): ViewJournal {
    const found = read(path);
    const { entries, earlier } = found === null ? { entries: [beginning], earlier: [] } : stillTrue(path, home, found);
    const journal = new ViewJournal(path, home, entries, earlier);
    journal.#rewrite(earlier);
    return journal;
  }

  /** At least the last one, the oldest first. Whoever needs an older one than the first has missed too much. */
  get entries(): readonly Entry[] {
    return this.#entries.map(({ entry }) => entry);
  }

  get last(): Entry {
    return this.#entries.at(-1)!.entry;
  }

  /** The greatest incarnation of each number before the first entry. */
  get earlierIncarnations(): Incarnations {
    return this.#earlier;
  }

  /** `incarnations`: those up to here, for when older entries are left out. Throws `DLM_STATE_UNUSABLE`; nothing is written then. */
  append(entry: Entry, incarnations: Incarnations): void {
    const text = textOf(entry);
    if (this.#length + text.length > 2 * lengthMax) this.#rewrite(incarnations);
    this.#write(text);
    this.#keep(entry, text.length);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #keep(entry: Entry, length: number): void {
    this.#entries.push({ entry, length });
    let total = this.#entries.reduce((sum, one) => sum + one.length, 0);
    while (total > lengthMax && this.#entries.length > 1) total -= this.#entries.shift()!.length;
  }

  /** Beside the old one, then in its place: there is always a whole file. */
  #rewrite(incarnations: Incarnations): void {
    const head = `${JSON.stringify({ format, ...this.#home, incarnations })}\n`;
    const bytes = Buffer.concat([Buffer.from(head), ...this.#entries.map(({ entry }) => textOf(entry))]);
    const draft = `${this.#path}.new`;
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    let file: number | null = null;
    try {
      file = openSync(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
      writeAt(file, bytes, 0);
      renameSync(draft, this.#path);
    } catch (error) {
      if (file !== null) closeSync(file);
      throw journalUnusable('write', this.#path, error);
    }
    this.close();
    this.#file = file;
    this.#length = bytes.length;
  }

  #write(bytes: Buffer): void {
    const file = this.#file!;
    try {
      writeAt(file, bytes, this.#length);
    } catch (error) {
      // Half a line would stand before the next one.
      ftruncateSync(file, this.#length);
      throw journalUnusable('write', this.#path, error);
    }
    this.#length += bytes.length;
  }
}

function writeAt(file: number, bytes: Buffer, at: number): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written, at + written);
}

interface Found {
  readonly home: Home;
  readonly incarnations: Incarnations;
  readonly entries: readonly Entry[];
}

/** Null: there is no file yet. */
function read(path: string): Found | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw journalUnusable('read', path, error);
  }
  const [head, ...lines] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
  try {
    const { format: written, boot, pidns, incarnations } = JSON.parse(head ?? '') as Record<string, unknown>;
    const entries = lines.map((line) => entryOf(JSON.parse(line)));
    const isSound = written === format && typeof boot === 'string' && areIncarnations(incarnations);
    if (isSound && entries.length > 0 && entries.every((entry) => entry !== null)) {
      return { home: { boot, pidns: pidns as string | null }, incarnations, entries };
    }
  } catch {
    // Said below.
  }
  throw new DlmError(
    'DLM_STATE_UNUSABLE',
    `${path} is damaged, so nobody can tell who is a member of the cluster`,
    'end all nodes of this cluster, then remove the file',
  );
}

function areIncarnations(value: unknown): value is Incarnations {
  return Array.isArray(value) && value.every((pair: unknown) => Array.isArray(pair) && isCount(pair[0], 1) && isCount(pair[1], 1, 0xffff_ffff));
}

/** What of it holds in this run of the machine, seen from this namespace. */
function stillTrue(path: string, home: Home, found: Found): { entries: readonly Entry[]; earlier: Incarnations } {
  const last = found.entries.at(-1)!;
  const known = new Map(found.incarnations);
  for (const { node, incarnation } of found.entries.flatMap(({ members }) => members)) {
    known.set(node, Math.max(known.get(node) ?? 0, incarnation));
  }
  const earlier = [...known];
  // The machine was restarted since: of its members nobody lives, and only the numbers matter.
  if (found.home.boot !== home.boot) return { entries: [{ ...beginning, id: last.id }], earlier };
  if (found.home.pidns === home.pidns) return { entries: found.entries, earlier };
  if (last.members.length === 0) return { entries: [last], earlier };
  throw new DlmError(
    'DLM_NOT_PERMITTED',
    'the members of this cluster ran in another pid namespace, and whether they live cannot be seen from this one',
    `join from there; or, once you know that they have ended, remove ${path}`,
  );
}

function textOf(entry: Entry): Buffer {
  return Buffer.from(`${JSON.stringify(entry)}\n`);
}

function journalUnusable(verb: string, path: string, error: unknown): DlmError {
  return unusable(`cannot ${verb} ${path}, in which the views of the cluster are kept`, error);
}
