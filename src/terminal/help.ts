/**
 * The help page of a command: what it does before how it is written, and the
 * options that every command has at the end.
 */
import { CommandHelp, Help, type Interfaces } from '@oclif/core';

const order = ['USAGE', 'DESCRIPTION', 'ARGUMENTS', 'FLAGS', 'EXAMPLES'];

/** Lines longer than this are hard to read, however wide the terminal. */
const widthMax = 100;

class CommandPage extends CommandHelp {
  /** The summary stands at the top of the page already. */
  protected override description(): string | undefined {
    const { description } = this.command;
    return description === undefined ? undefined : this.wrap(description);
  }

  protected override sections(): ReturnType<CommandHelp['sections']> {
    const sections = super.sections();
    return order.flatMap((header) => sections.filter((section) => section.header === header));
  }

  /** The first row keeps the place that the others have for a letter. */
  override renderList(...[rows, options]: Parameters<CommandHelp['renderList']>): string {
    const list = super.renderList(rows, options);
    const first = rows[0]?.[0] ?? '';
    // Where there is no room for two columns, nobody keeps it.
    const isAlone = list.split('\n', 1)[0] === first.trim();
    return isAlone ? list : `${/^ */.exec(first)![0]}${list}`;
  }

  protected override groupFlags(flags: Parameters<CommandHelp['groupFlags']>[0]): ReturnType<CommandHelp['groupFlags']> {
    const { mainFlags, flagGroups } = super.groupFlags(flags);
    const { GLOBAL, ...others } = flagGroups;
    const global = [...(GLOBAL ?? [])].sort((one, other) => (one.name < other.name ? -1 : 1));
    return { mainFlags, flagGroups: { ...others, GLOBAL: global } };
  }
}

export class HelpPages extends Help {
  protected override CommandHelpClass = CommandPage;

  constructor(config: Interfaces.Config) {
    super(config, { flagSortOrder: 'none', maxWidth: Math.min(process.stdout.columns ?? 80, widthMax) });
  }
}
