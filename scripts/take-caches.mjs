/**
 * Run the commands that are used most, once each, so that their code caches are there
 * (bin/dlm writes one after a run that had none).
 *
 * The locks are of a node in a folder of its own, and gone with it. Should anything
 * fail, the caches are written when somebody first uses the commands; so nothing is
 * said of it, and the build goes on.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const patienceMillis = 20_000;

/** The first one starts the node. */
const lines = [
  ['lvb', 'set', 'cache', 'value', '--quiet'],
  ['lvb', 'get', 'cache'],
  ['lock', 'cache', '--', 'true'],
  ['locks'],
  ['node', 'status'],
  ['lockspace', 'list'],
  ['lvb', 'drop', 'cache'],
  ['lvb', 'incr', 'cache'],
  ['lvb', 'cas', 'cache', '1', '2'],
  ['lvb', 'drop', 'cache'],
  ['modes'],
  ['codes'],
  ['lock', '--help'],
];

/** `root` is the folder of package.json. */
export function takeCaches(root) {
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/caches-'));
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', DLM_DIR: folder };
  const run = (line) =>
    spawnSync(process.execPath, [join(root, 'bin/dlm'), ...line], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'], timeout: patienceMillis });
  try {
    for (const line of lines) if (run(line).status !== 0) return;
    const id = run(['lock', 'cache', '--quiet', '--owner-pid', String(process.pid)]).stdout.toString().trim();
    run(['convert', id, '--mode', 'PR']);
    run(['cancel', id]);
    run(['unlock', id]);
  } finally {
    run(['node', 'leave', '--force']);
    rmSync(folder, { recursive: true, force: true });
  }
}
