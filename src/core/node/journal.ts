/**
 * What happened to a node, and what it asked for, as lines of text: enough to let
 * another node live through the same and to see whether it does the same.
 *
 * A line is JSON. Bytes and maps, which JSON does not know, are marked; a cookie, which
 * means something to its driver only, becomes the number that the driver gives it.
 */
import { hash } from '../lockspace/members.js';
import type { Effect } from './effect.js';
import type { Input } from './input.js';
import type { NodeConfig } from './node.js';

/** The first line: who it was. */
export interface JournalHead {
  readonly format: 'dlm-journal-1';
  readonly config: NodeConfig;
}

/** Every other line: when, what happened, and the mark of all that was asked for. */
export interface JournalLine {
  readonly now: number;
  readonly input: Input;
  readonly mark: string;
}

type CookieNumber = (cookie: unknown) => number;

export function writeHead(config: NodeConfig): string {
  return JSON.stringify({ format: 'dlm-journal-1', config } satisfies JournalHead);
}

export function writeLine(now: number, input: Input, effects: readonly Effect[], numberOf: CookieNumber): string {
  return JSON.stringify({ now, input: packed(input, numberOf), mark: markOf(effects, numberOf) });
}

/** Throws a `SyntaxError` if it is no head of a journal. */
export function readHead(line: string): JournalHead {
  const head = JSON.parse(line) as Partial<JournalHead>;
  if (head.format !== 'dlm-journal-1' || typeof head.config !== 'object') throw new SyntaxError('this is not the journal of a node');
  return head as JournalHead;
}

/** Throws a `SyntaxError` if it is no line of a journal. */
export function readLine(line: string): JournalLine {
  const read = unpacked(JSON.parse(line)) as Partial<JournalLine>;
  if (typeof read.now !== 'number' || typeof read.input?.kind !== 'string') throw new SyntaxError('this is not a line of a journal');
  return read as JournalLine;
}

/** An effect on one line, for people. */
export function showEffect(effect: Effect, numberOf: CookieNumber): string {
  return JSON.stringify(packed(effect, numberOf));
}

/** A number made of all effects: another one if anything about them is different. */
export function markOf(effects: readonly Effect[], numberOf: CookieNumber): string {
  return hash(effects.map((effect) => showEffect(effect, numberOf)).join('\n')).toString(16).padStart(8, '0');
}

function packed(value: unknown, numberOf: CookieNumber): unknown {
  if (value instanceof Uint8Array) return { $bytes: Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  if (value instanceof Map) return { $map: [...(value as Map<unknown, unknown>)] };
  if (Array.isArray(value)) return value.map((item) => packed(item, numberOf));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, key === 'cookie' ? numberOf(part) : packed(part, numberOf)]);
  return Object.fromEntries(entries);
}

function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== 'object' || value === null) return value;
  const { $bytes, $map } = value as { $bytes?: string; $map?: [unknown, unknown][] };
  if ($bytes !== undefined) return Uint8Array.from($bytes.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  if ($map !== undefined) return new Map($map);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unpacked(part)]));
}
