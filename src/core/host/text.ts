/**
 * Bytes as people can read them, without letting them move anybody's cursor.
 */

/** What is fit to be printed as it is, and by far the most there is. */
const plain = /^[\x20-\x5b\x5d-\x7e]*$/;

/** A core name (one character a byte) as text: UTF-8 where it is, `\xNN` where it is not printable. */
export function bytesToText(core: string): string {
  if (plain.test(core)) return core;
  const bytes = Buffer.from(core, 'latin1');
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  if (!isText) return escapeBytes(bytes);
  return [...text].map((char) => (isPrintable(char) ? char : escapeBytes(Buffer.from(char, 'utf8')))).join('');
}

/** Any text that comes from outside, made safe to print on a terminal. */
export function escapeText(text: string): string {
  if (plain.test(text)) return text;
  return [...text].map((char) => (isPrintable(char) ? char : escapeBytes(Buffer.from(char, 'utf8')))).join('');
}

/** A command line as it could be typed again. */
export function quoteCommand(command: readonly string[]): string {
  const quoted = command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return quoted.join(' ');
}

export function hexOf(core: string): string {
  return Buffer.from(core, 'latin1').toString('hex');
}

/** A backslash is escaped too, so that what is printed can be read back. */
function isPrintable(char: string): boolean {
  return char !== '\\' && !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(char);
}

function escapeBytes(bytes: Buffer): string {
  return Array.from(bytes, (byte) => (byte === 0x5c ? '\\\\' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('');
}

export function hexOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
