/**
 * Put the built program into few files, so that it starts quickly; part of the build.
 *
 *   dist/bundle/lean/lock.cjs …   each command by itself, for a line that is plain, without oclif
 *   dist/bundle/full.cjs          the whole program with all of oclif, for any line
 *   dist/bundle/view/view.mjs     what draws on a terminal, with ink and react; view.cjs beside it lets the others import it
 *   dist/bundle/third-party.txt   whose code is in them, and on which terms
 *
 * They are made of what tsc made of src/. The first line of a file is a number made of
 * its content: by it bin/dlm knows whether a code cache belongs to the file. Each file
 * appears at once and complete, since somebody may be starting the program meanwhile.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { takeCaches } from './take-caches.mjs';
import { termsOf } from './third-party.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const bundles = join(dist, 'bundle');
const lean = join(bundles, 'lean');
const drawing = join(bundles, 'view');

/** The libraries that become part of the files. Any other is loaded from node_modules by those who need it. */
const taken = ['@oclif/core', 'cli-table3', 'ink', 'react'];
const { dependencies } = createRequire(import.meta.url)('../package.json');
const left = [...Object.keys(dependencies).filter((library) => !taken.includes(library)), 'typescript'];

/** With the slashes before them, they make a first line of the length that bin/dlm expects. */
const stampDigits = 28;

/** Every command, by the words of its name. */
const commands = readdirSync(join(dist, 'commands'), { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -'.js'.length).split(sep))
  .sort();

const fileOf = (words) => `./commands/${words.join('/')}.js`;

/** What each file begins with, by its name. */
const leanEntries = Object.fromEntries(
  commands.map((words) => [
    words.join('.'),
    `import { start } from './terminal/lean/start.js';
     import Chosen from '${fileOf(words)}';
     export const main = (argv, root) => start(Chosen, '${words.join(':')}', argv, root);
     export { Chosen };`,
  ]),
);

const fullEntry = `import { main as mainOf } from './terminal/main.js';
  import { fullConfig } from './terminal/lean/full-config.js';
  const commands = {
    ${commands.map((words) => `'${words.join(':')}': () => require('${fileOf(words)}'),`).join('\n')}
  };
  export const main = (argv, root) => mainOf(argv, root, () => fullConfig(root, commands));`;

/** Entries that are no files. */
const entriesFrom = (texts) => ({
  name: 'entries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }));
    onLoad({ filter: /.*/, namespace: 'entry' }, ({ path }) => ({ contents: texts[path], resolveDir: dist, loader: 'js' }));
  },
});

/** A file that asks where it lies is told where it would lie outside of the bundle. */
const placesSeenFrom = (folder) => ({
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!path.startsWith(dist + sep) || !text.includes('import.meta.url')) return undefined;
      const place = `require('node:path').join(__dirname, ${JSON.stringify(relative(folder, path))})`;
      return { contents: text.replaceAll('import.meta.url', `require('node:url').pathToFileURL(${place}).href`), loader: 'js' };
    });
  },
});

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

const builtTexts = readdirSync(dist, { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map((file) => readFileSync(join(dist, file), 'utf8'));

/** Which names the program takes from a module. */
function namesImportedFrom(module) {
  const imports = new RegExp(`^import \\{([^}]*)\\} from '${module}';`, 'gm');
  const lists = builtTexts.flatMap((text) => [...text.matchAll(imports)].map(([, list]) => list));
  return [...new Set(lists.flatMap((list) => list.split(',').map((item) => item.trim().split(' ')[0])))].filter((name) => name !== '');
}

/**
 * What draws is large, few lines draw, and it waits while it is loaded, which a file that is required cannot: it is a file of its
 * own, which the others import when they use something of it. What it exports are functions whose results are awaited.
 */
const views = readdirSync(join(dist, 'terminal')).filter((file) => file.endsWith('-view.js') && readFileSync(join(dist, 'terminal', file), 'utf8').includes("from 'ink'"));
const isView = new RegExp(`terminal/(${views.map((file) => file.replace('.', '\\.')).join('|')})$`);

const drawnElsewhere = (folder) => ({
  name: 'drawn-elsewhere',
  setup({ onLoad }) {
    onLoad({ filter: isView }, ({ path }) => {
      const names = [...readFileSync(path, 'utf8').matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
      const door = `require(require('node:path').join(__dirname, ${JSON.stringify(relative(folder, join(drawing, 'view.cjs')))}))`;
      return { contents: names.map((name) => `export const ${name} = async (...given) => (await ${door}()).${name}(...given);`).join('\n'), loader: 'js' };
    });
  },
});

/** ink looks for them where DEV=true, and they are no dependency of ours. */
const withoutDevtools = {
  name: 'without-devtools',
  setup({ onLoad }) {
    onLoad({ filter: /ink\/build\/devtools\.js$/ }, () => ({ contents: '', loader: 'js' }));
  },
};

const viewEntry = views.map((file) => `export * from './terminal/${file}';`).join('\n');
const viewDoor = `module.exports = () => import('./view.mjs');\n`;

/** What few lines come to: a node of one's own, or to start one. A command that comes to it leaves the line to the full program. */
const seldom = /core\/host\/(open|start)\.js$/;

/** Nor are the texts of help needed in front of a line that is plain. */
const withoutTheRest = {
  name: 'without-the-rest',
  setup({ onLoad }) {
    onLoad({ filter: /terminal\/prose\.js$/ }, () => ({ contents: `export const prose = () => '';`, loader: 'js' }));
    onLoad({ filter: seldom }, ({ path }) => {
      const names = [...readFileSync(path, 'utf8').matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name);
      const line = relative(dirname(path), join(dist, 'terminal/lean/line.js'));
      return {
        contents: `import { Unsure } from '${line}';\n${names.map((name) => `export function ${name}() { throw new Unsure(); }`).join('\n')}`,
        loader: 'js',
      };
    });
  },
};

const forAll = {
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  charset: 'ascii',
  outExtension: { '.js': '.cjs' },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // A module that is loaded later is part of the file, too.
  supported: { 'dynamic-import': false },
  external: left,
  logLevel: 'warning',
  absWorkingDir: root,
};

/** Returns the paths of all that went into it. */
async function bundle(folder, texts, { plugins = [], ...options }) {
  const { outputFiles, metafile } = await build({
    ...forAll,
    entryPoints: Object.fromEntries(Object.keys(texts).map((name) => [name, `entry:${name}`])),
    outdir: folder,
    ...options,
    plugins: [entriesFrom(texts), ...plugins],
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of outputFiles) replace(path, `// ${createHash('sha256').update(text).digest('hex').slice(0, stampDigits)}\n${text}`);
  forgetOthers(folder, outputFiles.map(({ path }) => basename(path)));
  return Object.keys(metafile.inputs);
}

function replace(path, content) {
  if (existsSync(path) && readFileSync(path, 'latin1') === content) return;
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, content);
  renameSync(fresh, path);
}

/** A command that is no more must not be found, nor anything that was left half done. */
function forgetOthers(folder, names) {
  const isOurs = (name) => names.includes(name) || (name.endsWith('.cache') && names.some((one) => name.startsWith(`${basename(one, '.cjs')}-`)));
  for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && !isOurs(entry.name))) rmSync(join(folder, name));
}

const ofLean = await bundle(lean, leanEntries, {
  alias: { '@oclif/core': join(dist, 'terminal/lean/oclif') },
  inject: [join(dist, 'terminal/lean/performance.js')],
  plugins: [placesSeenFrom(lean), drawnElsewhere(lean), loadedWhenUsed, withoutTheRest],
});
const ofFull = await bundle(bundles, { full: fullEntry }, { plugins: [placesSeenFrom(bundles), drawnElsewhere(bundles)] });
const ofView = await bundle(drawing, { view: viewEntry }, {
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  supported: { 'dynamic-import': true },
  // Without what checks those who write for react.
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [withoutDevtools],
  banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
});
replace(join(drawing, 'view.cjs'), viewDoor);
replace(join(bundles, 'third-party.txt'), termsOf([...ofLean, ...ofFull, ...ofView], root));
takeCaches(root);
