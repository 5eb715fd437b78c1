/**
 * What the commands have in common that change a value: their options, and how they
 * come to the lock under which they do it.
 */
import type { LockspaceClient } from '../core/index.js';
import { BaseCommand } from './base-command.js';
import { inProcessFlags, type InProcessFlags } from './cluster-flags.js';
import * as options from './flags.js';
import { needName, type NamedLine } from './names.js';
import { answerTimeoutOf, reachedInTime, type Patience } from './patience.js';
import { changeValue, type Found } from './value-changes.js';

export const changeFlags = {
  ...options.lockspaceFlag,
  ...options.nameHexFlag,
  ...options.patienceFlags,
  ...options.conflictExitFlag,
  ...options.startFlags,
  ...inProcessFlags,
  ...options.quietWaitFlag,
};

interface Flags extends Patience, InProcessFlags {
  readonly lockspace?: string | undefined;
  readonly 'name-hex'?: string | undefined;
  readonly 'no-start': boolean;
  readonly quiet: boolean;
}

/** The value of one resource, in a lockspace that has been reached. */
export interface ChangingValue {
  readonly target: NamedLine;
  readonly space: LockspaceClient;
  /** Read, decide and write; see `changeValue`. */
  change(decide: (found: Found) => Uint8Array): Promise<Uint8Array>;
}

export abstract class ValueCommand extends BaseCommand {
  /** What the words name, and what follows the name. */
  protected targetOf(words: readonly (string | undefined)[], flags: Flags): NamedLine {
    return needName(
      words.filter((word) => word !== undefined),
      flags['name-hex'],
    );
  }

  protected async reachValue(target: NamedLine, flags: Flags): Promise<ChangingValue> {
    const wish = { shown: target.shown, mode: 'EX' as const, patience: flags, isQuiet: flags.quiet };
    const { client, space } = await reachedInTime(wish, () => this.reachLockspace({ ...flags, ...answerTimeoutOf(flags) }));
    const request = { space, target, patience: flags, isQuiet: flags.quiet, note: (words: string) => this.note(words) };
    return { target, space, change: (decide) => changeValue(client, request, this.takeSignals(), decide) };
  }
}
