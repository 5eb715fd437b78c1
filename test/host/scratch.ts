/**
 * A folder of its own for every test, inside the checkout and gone afterwards.
 *
 * Its path is short and relative, since the path of a socket must be short and
 * the checkout may lie deep.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const place = fileURLToPath(new URL('../../.tmp', import.meta.url));

export function scratch(test: Pick<TestContext, 'after'>): string {
  mkdirSync(place, { recursive: true });
  const folder = relative(process.cwd(), mkdtempSync(`${place}/h-`));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Nothing is written down. */
export const silent = (): void => undefined;
