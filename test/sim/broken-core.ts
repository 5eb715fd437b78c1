/**
 * A copy of the core in which one line is broken, as one file: what its worlds and its
 * referee are made of.
 *
 * Asked by those who want to know whether anybody notices. Nothing is kept of it here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { build } from 'esbuild';

/** The place in a file of src/core, there exactly once, and what stands there instead. */
export interface Break {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export type BrokenCore = Pick<typeof import('../../src/core/lock/law.js'), 'kernelLaw'> &
  Pick<typeof import('../../src/core/sim/conformance/conformance.js'), 'runConformance' | 'sumOf' | 'closingLine'> &
  Pick<typeof import('../../src/core/sim/options.js'), 'asBefore' | 'drawOptions' | 'plainly'> &
  Pick<typeof import('../../src/core/sim/run.js'), 'realBreed' | 'runWith'>;

export const core = fileURLToPath(new URL('../../src/core/', import.meta.url));

const entry = `
export { kernelLaw } from './lock/law.js';
export { runConformance, sumOf, closingLine } from './sim/conformance/conformance.js';
export { asBefore, drawOptions, plainly } from './sim/options.js';
export { realBreed, runWith } from './sim/run.js';
`;

/** Write it to a file. `one` null: nothing is broken. */
export async function writeCore(path: string, one: Break | null): Promise<void> {
  await build({
    stdin: { contents: entry, resolveDir: core, loader: 'ts' },
    bundle: true,
    format: 'iife',
    globalName: 'core',
    banner: { js: '(() => {' },
    footer: { js: 'return core; })()' },
    outfile: path,
    logLevel: 'silent',
    plugins: one === null ? [] : [breaking(one)],
  });
}

/** Read what was written; not as a module, which would be translated once more. */
export function readCore(path: string): BrokenCore {
  return new Script(readFileSync(path, 'utf8'), { filename: path }).runInThisContext() as BrokenCore;
}

/** Of all files that are put into one, that one is read with the break in it. */
export function breaking({ file, from, to }: Break): import('esbuild').Plugin {
  const broken = join(core, file);
  return {
    name: 'breaking',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) => (path === broken ? { contents: readFileSync(path, 'utf8').replace(from, () => to), loader: 'ts' } : undefined));
    },
  };
}
