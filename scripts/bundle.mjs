/**
 * Put the built program into two files, so that it starts quickly; part of the build.
 *
 *   dist/bundle/lean.cjs    every command for a line that is plain, without oclif
 *   dist/bundle/whole.cjs   the same program with all of oclif, for any line
 *
 * Both are made of what tsc made of src/. Beside each lies a code cache, taken after
 * a few runs, so that what is compiled while running is in it too. The first line of
 * a file is a number made of its content: by it bin/dlm knows whether a cache
 * belongs to the file. Each file appears at once and complete, since somebody may be
 * starting the program meanwhile.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const folder = join(dist, 'bundle');
const require = createRequire(import.meta.url);

/** The libraries that become part of the files. Any other is loaded from node_modules by those who need it. */
const taken = ['@oclif/core', 'cli-table3'];
const left = [...Object.keys(require('../package.json').dependencies).filter((library) => !taken.includes(library)), 'typescript'];

const commands = readdirSync(join(dist, 'commands'), { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -'.js'.length).split(sep))
  .sort();

/** Every command by its name, each loaded when it is asked for. */
const table = `const commands = {
${commands.map((words) => `  '${words.join(':')}': () => require('./commands/${words.join('/')}.js'),`).join('\n')}
};`;

const entries = {
  lean: `import { start } from './terminal/lean/start.js';
${table}
export const main = (argv, root) => start(argv, root, commands);
export { commands };`,
  whole: `import { main as mainOf } from './terminal/main.js';
import { wholeConfig } from './terminal/lean/whole.js';
${table}
export const main = (argv, root) => mainOf(argv, root, () => wholeConfig(root, commands));`,
};

/** A file asks where it lies: it is told where it would lie outside of the bundle. */
const placeOfEachFile = {
  name: 'place-of-each-file',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!path.startsWith(dist) || !text.includes('import.meta.url')) return undefined;
      const here = JSON.stringify(relative(folder, path));
      const url = `require('node:url').pathToFileURL(require('node:path').join(__dirname, ${here})).href`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'js' };
    });
  },
};

/** Those of Node's modules that take a while to load, and that not every line needs. */
const costly = ['child_process', 'crypto', 'fs/promises', 'http', 'net', 'timers/promises', 'tty'];

/** They are loaded when something of them is first used. */
const loadedWhenUsed = {
  name: 'loaded-when-used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^node:(${costly.join('|')})$`) }, ({ path, kind, namespace }) =>
      kind === 'import-statement' && namespace === 'file' ? { path, namespace: 'when-used' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'when-used' }, ({ path }) => {
      const getters = namesImportedFrom(path).map((name) => `get ${name}() { return require('${path}').${name}; }`);
      return { contents: `module.exports = { ${getters.join(', ')} };`, loader: 'js' };
    });
  },
};

/** Which names the program takes from a module. */
function namesImportedFrom(module) {
  const lines = new RegExp(`^import \\{([^}]*)\\} from '${module}';`, 'gm');
  const lists = builtFiles().flatMap((file) => [...readFileSync(file, 'utf8').matchAll(lines)].map(([, list]) => list));
  return [...new Set(lists.flatMap((list) => list.split(',').map((item) => item.trim().split(' ')[0])))].filter((name) => name !== '');
}

function builtFiles() {
  return readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith('.js') && !file.startsWith('bundle'))
    .map((file) => join(dist, file));
}

/** Help is for the whole program; here nobody will read its texts. */
const withoutProse = {
  name: 'without-prose',
  setup({ onLoad }) {
    onLoad({ filter: /terminal\/prose\.js$/ }, () => ({ contents: `export const prose = () => '';`, loader: 'js' }));
  },
};

async function bundle(name, options) {
  const { outputFiles } = await build({
    stdin: { contents: entries[name], resolveDir: dist, sourcefile: `${name}.js` },
    outfile: join(folder, `${name}.cjs`),
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    charset: 'ascii',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    external: left,
    // A module that is loaded later is part of the file, too.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
    absWorkingDir: root,
    ...options,
  });
  const { text } = outputFiles[0];
  const stamp = createHash('sha256').update(text).digest('hex').slice(0, 28);
  replace(join(folder, `${name}.cjs`), `// ${stamp}\n${text}`);
}

function replace(path, content) {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, content);
  renameSync(fresh, path);
}

mkdirSync(folder, { recursive: true });
await bundle('lean', { alias: { '@oclif/core': join(dist, 'terminal/lean/oclif') }, plugins: [placeOfEachFile, loadedWhenUsed, withoutProse] });
await bundle('whole', { plugins: [placeOfEachFile] });
