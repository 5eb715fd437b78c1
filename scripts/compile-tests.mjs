/**
 * Compile the tests, the benchmarks and what they are about, each file by itself, into .tmp/compiled.
 *
 * A run of all tests is some hundred and fifty processes, and each would compile for itself what it imports: a tenth of
 * all the time they take. A compiled file believes to be where its source is, so that it finds the same files beside it.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiled = join(root, '.tmp', 'compiled');
const tsconfigRaw = readFileSync(join(root, 'tsconfig.json'), 'utf8');

rmSync(compiled, { recursive: true, force: true });
const files = ['src', 'test', 'bench'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)));
await Promise.all(files.filter((file) => /\.tsx?$/.test(file)).map(compile));

async function compile(file) {
  const source = join(root, file);
  const { code } = await transform(readFileSync(source, 'utf8'), {
    loader: file.endsWith('x') ? 'tsx' : 'ts',
    format: 'esm',
    target: 'node20',
    tsconfigRaw,
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(source).href) },
    sourcefile: source,
    sourcemap: 'inline',
    sourcesContent: false,
  });
  const target = join(compiled, file.replace(/\.tsx?$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code);
}
