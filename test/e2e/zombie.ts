/**
 * Somebody who writes to a resource that checks tokens, and does not stop, whatever happens
 * to its lock: run under `dlm lock`, one attempt after the other.
 *
 *   zombie.ts FOLDER WHO
 *
 *   FOLDER/data       what was let in: WHO, one a line
 *   FOLDER/WHO.token  its token
 *   FOLDER/WHO.tried  how often it has tried, and how often it was let in
 */
import { appendFileSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkToken } from '../../src/core/host/token-file.js';

const [folder = '', who = ''] = process.argv.slice(2);
const token = process.env['DLM_TOKEN'] ?? '';
const count = openSync(join(folder, `${who}.tried`), 'w');
/** It is not to keep others out by its zeal alone. */
const betweenMillis = who === 'zombie' ? 2 : 100;

writeFileSync(join(folder, `${who}.token`), token);
const work = (): void => appendFileSync(join(folder, 'data'), `${who}\n`);
await writeOn(0, 0);

async function writeOn(tried: number, accepted: number): Promise<never> {
  const isLetIn = await checkToken(join(folder, 'guard'), token, { work }).then(
    () => 1,
    (error: { code?: string }) => {
      if (error.code !== 'DLM_TOKEN_OLD') throw error;
      return 0;
    },
  );
  writeSync(count, `${JSON.stringify({ tried: tried + 1, accepted: accepted + isLetIn })}\n`.padEnd(64), 0);
  await pause(betweenMillis);
  return writeOn(tried + 1, accepted + isLetIn);
}
