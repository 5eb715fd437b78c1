/**
 * Who may import whom.
 *
 * One table, `mayImport`, is the whole import graph of the house: a room may
 * import what stands beside its name, itself, and nothing else of ours. It
 * flows one way; there are two towers, the real one (host) and the simulated
 * one (sim), and they meet only in node. The rules below are that table and
 * four habits that a table cannot say. Every rule's comment tells the offender
 * what to do instead, since it is read by somebody who has just been refused.
 *
 * Run by `npm run check`; `npm run draw` draws what is really imported.
 */
import { createRequire } from 'node:module';

const mayImport = {
  base: [],
  lock: ['base'],
  wire: ['lock', 'base'],
  cluster: ['wire', 'base'],
  lockspace: ['wire', 'lock', 'base'],
  recovery: ['lockspace', 'wire', 'lock', 'base'],
  application: ['wire', 'lock', 'base'],
  node: ['cluster', 'recovery', 'application', 'lockspace', 'wire', 'lock', 'base'],
  sim: ['node', 'wire', 'lock', 'base'],
  host: ['node', 'wire', 'lock', 'base'],
  index: ['host', 'sim', 'node', 'lock', 'base'],
  terminal: ['index'],
  commands: ['terminal', 'index'],
};

/** The one place where a library may be known; everybody else asks that place. */
const homeOf = {
  '@oclif/': '^src/(commands|terminal)/',
  'cli-table3': '^src/terminal/tables\\.ts$',
  ink: '^src/terminal/[^/]+\\.tsx$',
  react: '^src/terminal/[^/]+\\.tsx$',
  undici: '^src/core/host/(engine/etcd-gateway|control-client)\\.ts$',
  koffi: '^src/core/host/(engine/corosync-library|output-reader)\\.ts$',
};

const placeOf = (room) =>
  ({ index: '^src/core/index\\.ts$', terminal: '^src/terminal/', commands: '^src/commands/' })[room] ??
  `^src/core/${room}/`;

const inPackage = (name) => `(^|node_modules/)${name}(/|$)`.replace('/(/|$)', '/');

const pureRooms = createRequire(import.meta.url)('./tsconfig.pure.json').include.map((room) => `^${room}/`);

/** The table, row by row. */
const roomRules = Object.entries(mayImport).map(([room, others]) => ({
  name: `what-${room}-may-import`,
  severity: 'error',
  comment:
    `${room} may import ${others.join(', ') || 'nothing'}. What another room needs to hear is a return value ` +
    '(an event) that node routes on; what is needed by two rooms belongs in a room below both. If the wall itself ' +
    'is wrong, move it in mayImport (.dependency-cruiser.mjs) and say why in docs/decisions.',
  from: { path: placeOf(room) },
  to: { path: '^src/', pathNot: [room, ...others].map(placeOf) },
}));

/** One rule a library: only its home may know it. */
const homeRules = Object.entries(homeOf).map(([library, home]) => ({
  name: `one-home-for-${library.replace(/\W/g, '')}`,
  severity: 'error',
  comment:
    `${library} is known only to ${home}. Call a function of that file instead, or give it the one that is missing: ` +
    'a library with one home can be replaced in an afternoon.',
  from: { path: '^src/', pathNot: home },
  to: { path: inPackage(library) },
}));

export default {
  forbidden: [
    ...roomRules,
    {
      name: 'no-circles',
      severity: 'error',
      comment:
        'These files need one another to run. Move what both need into a file of its own that imports neither, or let ' +
        'the lower one return what the upper one wants to know. (Types alone may refer to each other within a room, ' +
        'as a lock and its resource do: write `import type`.)',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'pure-rooms-touch-nothing',
      severity: 'error',
      comment:
        'A pure room knows no machine and no library. Take what you need as an argument of an input, and ask the ' +
        'world for things by an effect (src/core/node/effect.ts); host carries it out, and so does sim.',
      from: { path: pureRooms },
      to: { pathNot: '^src/' },
    },
    {
      name: 'host-and-sim-are-strangers',
      severity: 'error',
      comment:
        'host and sim are two worlds for the same node, and a simulation that borrows from the real world (or the ' +
        'other way round) proves nothing. Put what both need into node or below.',
      from: { path: '^src/core/(host|sim)/' },
      to: { path: '^src/core/(host|sim)/', pathNot: '^src/core/$1/' },
    },
    {
      name: 'through-the-front-door',
      severity: 'error',
      comment:
        'Commands and the terminal reach the core through src/core/index.ts and no other way, as a program that ' +
        'embeds us would. Export from there what you miss, if others should have it too.',
      from: { path: '^src/(commands|terminal)/' },
      to: { path: '^src/core/', pathNot: '^src/core/index\\.ts$' },
    },
    ...homeRules,
    {
      name: 'a-new-library-needs-a-home',
      severity: 'error',
      comment:
        'No home is written down for this library. Do without it, or add it to homeOf (.dependency-cruiser.mjs) ' +
        'with the one file that may know it, and say in docs/decisions why we depend on it.',
      from: { path: '^src/' },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^src/', ...Object.keys(homeOf).map(inPackage)] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
