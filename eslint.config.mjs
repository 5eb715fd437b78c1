/**
 * What the compiler lets through and this house does not.
 *
 * Three matters: size (a file and a function that can be read at one sitting),
 * shape (no hidden state, no default exports), and, in the pure rooms, the
 * three things the language itself offers and a step function must not take:
 * the clock, chance, and waiting. The rest of the machine is out of reach
 * there already, because those rooms compile without Node's types.
 */
import { createRequire } from 'node:module';
import tseslint from 'typescript-eslint';

const pureRooms = createRequire(import.meta.url)('./tsconfig.pure.json').include.map((room) => `${room}/**/*.ts`);

const effects = 'ask the world by an effect, and hear of it by an input';

const noDefaultExports = [
  {
    selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
    message: 'Export it by its name; only commands have a default export, because oclif looks for one.',
  },
];

const noHiddenState = [
  {
    selector: 'Program > VariableDeclaration[kind=/let|var/], Program > ExportNamedDeclaration > VariableDeclaration[kind=/let|var/]',
    message: 'State lives in an object somebody owns, never in a module: two nodes in one process would share it.',
  },
];

const onlyThisTurn = [
  {
    selector: ':function[async=true], AwaitExpression, ForOfStatement[await=true]',
    message: `A turn runs to completion and waits for nothing; ${effects}.`,
  },
  {
    selector: 'ImportExpression',
    message: 'Import at the top of the file; a dynamic import waits, and nothing in a pure room waits.',
  },
  {
    // A unique symbol is declared to brand a type, and stands for nothing that runs.
    selector:
      'VariableDeclaration[declare=true] > VariableDeclarator:not([id.typeAnnotation.typeAnnotation.operator="unique"]), ' +
      ':matches(TSDeclareFunction, TSModuleDeclaration)[declare=true]',
    message: 'What the pure rooms cannot see is not there for them; declaring it does not make it so.',
  },
  {
    selector: 'MemberExpression[property.name=/^(localeCompare|toLocale\\w*)$/]',
    message: 'The answer depends on where the program runs; compare with < and >, and leave display to the terminal.',
  },
];

const notHere = (names, message) => names.map((name) => ({ name, message }));

const noMachine = [
  ...notHere(['Date', 'performance'], 'Time is an argument: use the `now` of this turn, or a deadline given out by nextDeadline().'),
  ...notHere(['Promise'], `A turn runs to completion and waits for nothing; ${effects}.`),
  ...notHere(
    ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
    'There is one timer, and the driver has it; keep a deadline in a field and report it through nextDeadline().',
  ),
  ...notHere(['process', 'Buffer', 'console', 'fetch', 'crypto'], `The machine is not here; ${effects}.`),
  ...notHere(['Intl'], 'The answer depends on where the program runs; leave display to the terminal.'),
  ...notHere(['WeakRef', 'FinalizationRegistry'], 'When garbage is collected is chance; end things where they end.'),
  ...notHere(['globalThis'], 'Nothing global is needed here; take it as an argument.'),
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.tmp/', '.dlm/'] },
  // A rule that is wrong is changed here, for everybody; it is not switched off for one line.
  { linterOptions: { noInlineConfig: true } },
  tseslint.configs.recommended,
  {
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 70],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...noHiddenState, ...noDefaultExports],
      '@typescript-eslint/triple-slash-reference': ['error', { types: 'never', path: 'never', lib: 'never' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // A chapter of tests is a list, not a function: only its file has a limit.
    files: ['test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    files: pureRooms,
    rules: {
      'no-restricted-globals': ['error', ...noMachine],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Chance comes from the seed: draw from the prng you were given.' },
      ],
      'no-restricted-syntax': ['error', ...noHiddenState, ...noDefaultExports, ...onlyThisTurn],
    },
  },
  {
    files: ['src/commands/**/*.ts', '*.mjs'],
    rules: { 'no-restricted-syntax': ['error', ...noHiddenState] },
  },
  {
    files: ['src/core/host/**/*.ts', 'src/terminal/**/*.{ts,tsx}', 'src/commands/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: { '@typescript-eslint/no-floating-promises': 'error' },
  },
);
