/**
 * The configuration of oclif for a program that is one file.
 *
 * oclif finds its commands by looking into a folder and loads them by their paths.
 * In one file they are there already, so here it is given them; everything else, the
 * manifest with the help texts included, it reads as it always does.
 */
import { Config, Plugin, type Command } from '@oclif/core';

/** Every command, by its name with colons. Its part of the file is run when it is asked for. */
export type CommandClasses = Readonly<Record<string, () => { readonly default: Command.Class }>>;

class OneFile extends Plugin {
  readonly #classes: CommandClasses;

  constructor(root: string, classes: CommandClasses) {
    super({ root, isRoot: true });
    this.#classes = classes;
  }

  override findCommand(id: string, options: { must: true }): Promise<Command.Class>;
  override findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined>;
  override async findCommand(id: string): Promise<Command.Class | undefined> {
    const found = Object.hasOwn(this.#classes, id) ? this.#classes[id]!().default : undefined;
    if (found !== undefined) Object.assign(found, { id, plugin: this });
    return found;
  }
}

/** `root` is the folder of package.json. */
export async function fullConfig(root: string, classes: CommandClasses): Promise<Config> {
  const plugin = new OneFile(root, classes);
  await plugin.load();
  return (await Config.load({ root, plugins: new Map([[plugin.name, plugin]]) })) as Config;
}
