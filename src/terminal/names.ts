/**
 * Names as they are typed on a command line.
 *
 * The core takes any 0 to 64 bytes; a command line is stricter, because a name
 * that cannot be seen cannot be checked: 1 to 64 bytes of printable UTF-8, with
 * spaces if need be. Anything else is given in hex, with --name-hex. A name that
 * begins with a dash comes after `--`.
 *
 * What was not UTF-8 has reached us as U+FFFD, so that two different names would
 * look the same here; such a name is refused too.
 */
import { DlmError, checkLockspaceName, escapeText, type Name } from '../core/index.js';

const bytesMax = 64;

/** The resource name that was typed, and the words that came after it. */
export interface NamedLine {
  readonly name: Name;
  /** The name as it was typed; one given in hex as 0x… */
  readonly typed: string;
  /** The name, safe to print. */
  readonly shown: string;
  readonly rest: readonly string[];
}

/**
 * Which resource is meant?
 *
 * With --name-hex no word is the name, so the first one belongs to what follows.
 * Null: no name was given.
 */
export function takeName(words: readonly string[], nameHex: string | undefined): NamedLine | null {
  if (nameHex !== undefined) {
    const typed = `0x${nameHex.toLowerCase()}`;
    return { name: nameOfHex(nameHex), typed, shown: typed, rest: words };
  }
  const [word, ...rest] = words;
  if (word === undefined) return null;
  checkName(word, 'the name');
  return { name: word, typed: word, shown: escapeText(word), rest };
}

/** Every name that was given, the one in hex last. Throws `DLM_USAGE` if there is none. */
export function needNames(words: readonly string[], nameHex: string | undefined): NamedLine[] {
  const named = words.map((word) => needName([word], undefined));
  return named.length > 0 && nameHex === undefined ? named : [...named, needName([], nameHex)];
}

/** As `takeName`, where a name must be given. Throws `DLM_USAGE`. */
export function needName(words: readonly string[], nameHex: string | undefined): NamedLine {
  const taken = takeName(words, nameHex);
  if (taken === null) throw new DlmError('DLM_USAGE', 'NAME is missing', 'say which resource, or use --name-hex');
  return taken;
}

/** Can this be typed as the name of a resource or a lockspace? Throws `DLM_NAME_INVALID`. */
export function checkName(text: string, what: string): void {
  const problem = problemOf(text);
  if (problem !== null) throw new DlmError('DLM_NAME_INVALID', `${what} ${problem}`);
}

/** The name of a lockspace, which is plainer. Throws `DLM_NAME_INVALID`. */
export function lockspaceName(text: string): string {
  checkLockspaceName(text);
  return text;
}

function problemOf(text: string): string | null {
  const length = Buffer.byteLength(text, 'utf8');
  if (length === 0) return 'is empty';
  if (length > bytesMax) return `has ${length} bytes, and ${bytesMax} is the most`;
  if (text.includes('\ufffd')) return 'is not UTF-8';
  const odd = [...text].find((char) => char !== '\\' && escapeText(char) !== char);
  if (odd !== undefined) return `has a character that cannot be printed: ${escapeText(odd)}`;
  return null;
}

/** Any 0 to 64 bytes. Throws `DLM_NAME_INVALID`. */
function nameOfHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) {
    throw new DlmError('DLM_NAME_INVALID', `'${escapeText(hex)}' is not a name in hex`, 'give two hex digits for each byte');
  }
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length > bytesMax) {
    throw new DlmError('DLM_NAME_INVALID', `the name has ${bytes.length} bytes, and ${bytesMax} is the most`, 'shorten it');
  }
  return new Uint8Array(bytes);
}
