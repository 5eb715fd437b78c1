/**
 * What a tidy file looks like: one table, a rule a row, each with an example of what it refuses.
 *
 * A rule sees one file, its path from the root of the checkout and its text. What needs more than one file to judge
 * (imports, circles, files nobody uses) is not here.
 */

export interface SourceFile {
  path: string;
  text: string;
}

export interface Rule {
  says: string;
  /** The files it is about, by path. */
  about: RegExp;
  refuses(file: SourceFile): boolean;
  example: SourceFile;
}

const ours = /^(src|test|bench|demo|scripts|bin|docs)\//;
const code = /\.tsx?$/;
const script = /^(src|test|bench|demo|scripts|bin)\/.*\.(tsx?|sh|mjs)$/;
const homeless = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'manager', 'service', 'data', 'misc']);
const decisionHeadings = ['## Context', '## Decision', '## Consequences'];

/** The parts of a path that are words: lock-manager/grant.test.ts has lock, manager, grant and test. */
const wordsOf = (path: string): string[] => path.split(/[/.-]/);

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const rules: readonly Rule[] = [
  {
    says: 'no file is longer than 400 lines',
    about: script,
    refuses: ({ text }) => text.split('\n').length > 401,
    example: { path: 'src/core/lock/lock.ts', text: '\n'.repeat(401) },
  },
  {
    says: 'a file begins with a block comment: what it decides, who asks it, what it never does',
    about: code,
    refuses: ({ text }) => !/^(#!.*\n)?\/\*\*\n/.test(text),
    example: { path: 'src/core/lock/grant.ts', text: "import './mode.js';\n" },
  },
  {
    says: 'files are named in kebab-case',
    about: code,
    refuses: ({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.long|\.d)?\.tsx?$/.test(nameOf(path)),
    example: { path: 'src/core/wire/wireCodec.ts', text: '' },
  },
  {
    says: 'a file or folder is named after what is in it, not after its being useful',
    about: script,
    refuses: ({ path }) => wordsOf(path).some((word) => homeless.has(word)),
    example: { path: 'src/core/lock/lock-utils.ts', text: '' },
  },
  {
    says: 'there is one front door, src/core/index.ts',
    about: /(^|\/)index\.tsx?$/,
    refuses: ({ path }) => path !== 'src/core/index.ts',
    example: { path: 'src/core/lock/index.ts', text: '' },
  },
  {
    says: 'what is left to do is written down where work is planned, not in the file',
    about: ours,
    refuses: ({ text }) => /\b(TO[D]O|FIX[M]E)\b/.test(text),
    example: { path: 'src/core/lock/grant.ts', text: '// TO' + 'DO: the rest' },
  },
  {
    says: 'a decision has a Context, a Decision and Consequences, in this order',
    about: /^docs\/decisions\/.*\.md$/,
    refuses: ({ text }) => {
      const headings = text.split('\n').filter((line) => decisionHeadings.includes(line));
      return headings.join() !== decisionHeadings.join();
    },
    example: { path: 'docs/decisions/0007-a-thought.md', text: '# A thought\n\n## Decision\n' },
  },
  {
    says: 'a decision is numbered and named: 0007-what-it-says.md',
    about: /^docs\/decisions\//,
    refuses: ({ path }) => !/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$/.test(nameOf(path)),
    example: { path: 'docs/decisions/thoughts.md', text: '' },
  },
];
