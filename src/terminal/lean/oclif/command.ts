/**
 * In the place of @oclif/core/command: what a command is made of, for a line that
 * is plain.
 *
 * The commands know nothing of this. `scripts/bundle.mjs` puts this folder where
 * they expect the library when it makes the quick bundle; a line that is not plain
 * is left to the library itself (see ../line.ts). A test compares the two, command
 * by command and line by line.
 */
import { Unsure, parseLine, type ArgRow, type FlagRow, type Parsed } from '../line.js';

/** What a command is defined by. */
export interface Definition {
  readonly args?: Readonly<Record<string, ArgRow>>;
  readonly flags?: Readonly<Record<string, FlagRow>>;
  readonly baseFlags?: Readonly<Record<string, FlagRow>>;
  readonly enableJsonFlag?: boolean;
  readonly strict?: boolean;
}

/** What a command may know of the program it belongs to. */
export interface Program {
  /** The folder of package.json. */
  readonly root: string;
}

/** What a command may be defined by that changes how its line is read, and is not known here. */
const strangeKeys = ['--', 'constraints', 'deprecateAliases', 'state'];

export abstract class Command {
  static id = '';
  readonly id: string;
  /** Has the line been read? */
  parsed = false;

  constructor(
    public argv: string[],
    readonly config: Program,
  ) {
    this.id = (this.constructor as typeof Command).id;
  }

  abstract run(): Promise<unknown>;

  /** Rejects with `Unsure`, before anything is done, if the line is not plain. */
  async runPlainLine(): Promise<void> {
    let result: unknown;
    try {
      result = await this.run();
    } catch (error) {
      if (error instanceof Unsure) throw error;
      await this.catch(error as Error);
    } finally {
      await this.finally();
    }
    if (result && this.jsonEnabled()) this.logJson(result);
  }

  /** Is --json among our own words? */
  jsonEnabled(): boolean {
    const dashes = this.argv.indexOf('--');
    const own = dashes < 0 ? this.argv : this.argv.slice(0, dashes);
    return (this.constructor as Definition).enableJsonFlag === true && own.includes('--json');
  }

  abstract logJson(json: unknown): void;

  protected async parse(definition: Definition, argv: string[] = this.argv): Promise<Parsed> {
    if (strangeKeys.some((key) => key in definition)) throw new Unsure();
    const json = definition.enableJsonFlag === true ? { json: { type: 'boolean' } as const } : {};
    const flags = { ...json, ...definition.baseFlags, ...definition.flags };
    this.argv = [...argv];
    const grammar = { args: definition.args ?? {}, flags, isStrict: definition.strict !== false };
    const parsed = await parseLine(grammar, argv).catch(() => {
      throw new Unsure();
    });
    this.parsed = true;
    return parsed;
  }

  protected abstract catch(error: Error): Promise<void>;
  protected abstract finally(): Promise<void>;
}
