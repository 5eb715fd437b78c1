/**
 * Value blocks as people type and read them.
 *
 * A value is bytes; a value block has a fixed length and is filled up with zeros.
 * Typed as text (UTF-8), as hex, or given on standard input byte for byte. Shown
 * as text without the zeros at the end, with whatever cannot be printed escaped.
 */
import { DlmError, escapeText } from '../core/index.js';

/** Text as a value. Throws `DLM_USAGE` for what was not UTF-8. */
export function valueOfText(text: string): Uint8Array {
  if (text.includes('\ufffd')) throw new DlmError('DLM_USAGE', 'the value is not UTF-8', 'give it in hex, or on standard input with: -');
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

/** Hex as a value. Throws `DLM_USAGE`. */
export function valueOfHex(hex: string): Uint8Array {
  if (/^([0-9a-f]{2})*$/i.test(hex)) return new Uint8Array(Buffer.from(hex, 'hex'));
  throw new DlmError('DLM_USAGE', `'${escapeText(hex)}' is not a value in hex`, 'give two hex digits for each byte');
}

/** The value that --value or --value-hex gives, if any. */
export function valueGiven(flags: { value?: string | undefined; 'value-hex'?: string | undefined }): Uint8Array | undefined {
  if (flags.value !== undefined) return valueOfText(flags.value);
  return flags['value-hex'] === undefined ? undefined : valueOfHex(flags['value-hex']);
}

/** Everything on standard input, byte for byte. Throws `DLM_VALUE_TOO_LONG`, and `DLM_USAGE` on a terminal. */
export async function valueOfStdin(bytesMax: number): Promise<Uint8Array> {
  if (process.stdin.isTTY) {
    throw new DlmError('DLM_USAGE', 'standard input is a terminal', 'pipe the value in: printf %s VALUE | dlm lvb set NAME -');
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > bytesMax) {
      throw new DlmError('DLM_VALUE_TOO_LONG', `standard input has more than the ${bytesMax} bytes of a value block`);
    }
  }
  return new Uint8Array(Buffer.concat(chunks));
}

export function hexOfValue(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
}

/** A value block as text. */
export function textOfValue(value: Uint8Array): string {
  const end = value.findLastIndex((byte) => byte !== 0) + 1;
  const bytes = Buffer.from(value.subarray(0, end));
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return escapeText(text);
  return Array.from(bytes, (byte) => escapeByte(byte)).join('');
}

function escapeByte(byte: number): string {
  if (byte >= 0x20 && byte < 0x7f) return escapeText(String.fromCharCode(byte));
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
