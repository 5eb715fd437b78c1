/**
 * What a fence agent is told: pairs of a key and a value, some of which nobody else may
 * learn.
 *
 * A secret is recognised by its key. It is given out in one place, `resolve`, to whoever
 * runs the agent; printed, logged or turned into JSON by whomever, this object shows
 * three stars. What an agent prints is cleared of the secrets it was given by `Secrets`.
 *
 *   passwd=s3cret             the secret itself; then nobody else may read the file
 *   passwd_file=/etc/dlm/bmc  the first line of a file of its own
 *   passwd_script=/etc/dlm/p  the first line that a program prints
 */
import { inspect } from 'node:util';
import { DlmError } from '../base/errors.js';
import { runBounded } from './bounded-program.js';
import { checkProgram, readSecret } from './trusted-file.js';

const secretKey = /pass|secret|token|community|(^|_)key$/i;
/** Switches that are named after a secret, and files that hold one. */
const plainKey = /^no_|_(file|script|path)$/i;
/** Such a key names where a secret is, and is none. */
const sourceKey = /^(.*(?:passwd|password|passphrase|secret|token|community))_(file|script)$/i;

const mask = '***';
const scriptMillis = 10_000;
const scriptOutputMax = 4096;

export interface Resolved {
  readonly values: ReadonlyMap<string, string>;
  readonly secrets: Secrets;
}

export class FenceParameters {
  readonly #pairs: ReadonlyMap<string, string>;

  constructor(pairs: Iterable<readonly [string, string]>) {
    this.#pairs = new Map(pairs);
  }

  static readonly none = new FenceParameters([]);

  get keys(): string[] {
    return [...this.#pairs.keys()];
  }

  /** Does a secret itself stand here? */
  get hasSecret(): boolean {
    return this.keys.some(isSecret);
  }

  /** The value of a key that is no secret; undefined if there is none. */
  plain(key: string): string | undefined {
    return isSecret(key) ? undefined : this.#pairs.get(key);
  }

  /** These, and the others where both have a key. */
  with(others: FenceParameters): FenceParameters {
    return new FenceParameters([...this.#pairs, ...others.#pairs]);
  }

  without(keys: readonly string[]): FenceParameters {
    return new FenceParameters([...this.#pairs].filter(([key]) => !keys.includes(key)));
  }

  /** With the stars, for people. */
  shown(): Record<string, string> {
    return Object.fromEntries(this.keys.map((key) => [key, isSecret(key) ? mask : this.#pairs.get(key)!]));
  }

  toJSON(): Record<string, string> {
    return this.shown();
  }

  [inspect.custom](): Record<string, string> {
    return this.shown();
  }

  /** The problems that can be found before a secret is needed. */
  checkSources(): void {
    for (const [key, value] of this.#pairs) {
      const source = sourceKey.exec(key);
      if (source?.[2] === 'script') checkProgram(value, `the program of ${key}`);
      if (source?.[2] === 'file') readSecret(value, `the file of ${key}`);
    }
  }

  /** With the secrets from where they are. Rejects with `DLM_CONFIG_INVALID`. */
  async resolve(signal?: AbortSignal): Promise<Resolved> {
    const values = new Map<string, string>();
    for (const [key, value] of this.#pairs) {
      const [, name, source] = sourceKey.exec(key) ?? [];
      if (name === undefined) values.set(key, value);
      else if (source === 'file') values.set(name, readSecret(value, `the file of ${key}`));
      else values.set(name, await printedBy(value, key, signal));
    }
    return { values, secrets: new Secrets([...values].filter(([key]) => isSecret(key)).map(([, value]) => value)) };
  }
}

/** What it says is no one else's business: of a failure only how it ended is told. */
async function printedBy(path: string, key: string, signal: AbortSignal | undefined): Promise<string> {
  checkProgram(path, `the program of ${key}`);
  const end = await runBounded({ path, input: '', timeoutMillis: scriptMillis, outputMax: scriptOutputMax, signal });
  const line = end.stdout.split('\n', 1)[0]!.replace(/\r$/, '');
  if (end.exit === 0 && line !== '') return line;
  throw new DlmError('DLM_CONFIG_INVALID', `the program of ${key}, ${path}, ${end.exit === 0 ? 'printed nothing' : end.words}`);
}

function isSecret(key: string): boolean {
  return secretKey.test(key) && !plainKey.test(key);
}

/** Secrets, to be taken out of texts. */
export class Secrets {
  readonly #spellings: readonly string[];

  constructor(secrets: readonly string[]) {
    const spellings = new Set(secrets.filter((secret) => secret !== '').flatMap(spellingsOf));
    this.#spellings = [...spellings].sort((one, other) => other.length - one.length);
  }

  /** The longest way to write one, in bytes. */
  get bytesMax(): number {
    return Math.max(0, ...this.#spellings.map((spelling) => Buffer.byteLength(spelling)));
  }

  redact(text: string): string {
    return this.#spellings.reduce((left, spelling) => left.replaceAll(spelling, mask), text);
  }
}

/** As it is, and as programs write it that pass it on. */
function spellingsOf(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("'", `'"'"'`),
    secret.replaceAll("'", `\\'`),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('hex'),
  ];
}
