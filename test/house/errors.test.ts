/**
 * The error catalogue and its page list the same errors, both ways, with the same
 * exit codes; and no two errors share one.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { catalogue, errorCodes } from '../../src/core/base/errors.js';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const documented = new Map([...page.matchAll(/^### (DLM_\w+) \((\d+)\)$/gm)].map(([, code, exit]) => [code, Number(exit)]));

test('every error of the catalogue is on the page, with its exit code', () => {
  for (const code of errorCodes) assert.equal(documented.get(code), catalogue[code].exit, code);
});

test('every error of the page is in the catalogue', () => {
  for (const code of documented.keys()) assert.ok(code !== undefined && code in catalogue, code);
});

test('exit codes are unique and keep clear of flock, of signals and of what shells use', () => {
  const exits = errorCodes.map((code) => catalogue[code].exit);
  assert.equal(new Set(exits).size, exits.length);
  for (const exit of exits) assert.ok((exit >= 64 && exit <= 78) || (exit >= 80 && exit <= 119), String(exit));
});
