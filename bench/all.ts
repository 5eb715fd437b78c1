/**
 * All benchmarks of the library, or the parts that are named, and one table of them.
 *
 *   npm run bench
 *   npm run bench -- recovery remote
 *
 * Each part runs in a process of its own, one after another, so that none begins with the
 * heap or the machine code of another. What it says on the way goes to standard error. All is compiled beforehand, as what
 * is shipped is: whoever compiles as it is read (tsx) gives every function its name anew each time it is made.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { formatTable, type Part, type Row } from './table.js';

const parts: Readonly<Record<string, () => Promise<{ measure: Part }>>> = {
  'in-process': () => import('./in-process.js'),
  remote: () => import('./remote.js'),
  memory: () => import('./memory.js'),
  recovery: () => import('./recovery.js'),
};

async function measureHere(name: string): Promise<void> {
  const { measure } = await parts[name]!();
  const rows = await measure((line) => console.error(line));
  process.send!(rows, () => process.exit(0));
}

async function measureApart(name: string): Promise<Row[]> {
  console.error(`\n== ${name}`);
  const child = fork(process.argv[1]!, [name], { env: { ...process.env, BENCH_PART: name } });
  let rows: Row[] | null = null;
  child.on('message', (message) => (rows = message as Row[]));
  await once(child, 'exit');
  if (rows === null) throw new Error(`the part ${name} has failed, see above`);
  return rows;
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in parts));
if (process.env['BENCH_PART'] !== undefined) {
  await measureHere(process.env['BENCH_PART']);
} else if (unknown !== undefined) {
  console.error(`there is no part ${unknown}; there are ${Object.keys(parts).join(', ')}`);
  process.exitCode = 2;
} else {
  const rows: Row[] = [];
  for (const name of asked.length > 0 ? asked : Object.keys(parts)) rows.push(...(await measureApart(name)));
  console.log(`\n${formatTable(rows)}`);
}
