/**
 * A test that plays with real processes, and how long it may take: one that hangs
 * fails alone, and the others go on.
 *
 * Whoever starts processes registers their end with the test (`test.after`), or
 * after each test of its suite; that is done as well when the time is over.
 */
import { test as unbounded, type TestContext } from 'node:test';
import { boundMillis } from './processes.js';

/** Several waits, each within its own bound, which says more about what did not come true. */
export const caseMillis = 3 * boundMillis;

type Play = (test: TestContext) => Promise<void>;
type Options = Readonly<{ skip?: boolean | string; todo?: string; timeout?: number }>;

/** As node:test has it. */
export function test(name: string, ...rest: [Play] | [Options, Play]): void {
  const [options, play] = rest.length === 1 ? [{}, rest[0]] : rest;
  void unbounded(name, { timeout: caseMillis, ...options }, play);
}
