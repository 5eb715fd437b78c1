/**
 * The programs of others that a test runs against: installed from Debian's packages
 * when they are first asked for, once on a machine.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('install.sh', import.meta.url));

/** Returns when all of these packages are installed. Throws with what apt-get said if they cannot be. */
export function needs(...packages: readonly string[]): void {
  try {
    execFileSync('bash', [script, ...packages], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw new Error(`these packages are needed and cannot be installed: ${packages.join(', ')}\n${said.trim().slice(-2_000)}`);
  }
}
