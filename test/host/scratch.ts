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
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  test.after(() => {
    try {
      remove();
    } catch {
      // Somebody still writes there whom a later hook ends. Were this hook to fail, that one would not be run, and the test never end.
      process.once('exit', remove);
    }
  });
  return folder;
}

/** Nothing is written down. */
export const silent = (): void => undefined;
