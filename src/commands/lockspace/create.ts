/**
 * Join a lockspace, making it if need be.
 */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { lockspaceName } from '../../terminal/names.js';
import { prose } from '../../terminal/prose.js';

export default class LockspaceCreate extends BaseCommand {
  static override summary = 'Join a lockspace, making it if need be';
  static override usage = 'lockspace create NAME [--value-length BYTES] [--order ORDER] [--nodir] [--new]';
  static override description = prose`
    A lockspace is a world of names of its own: the same name in two lockspaces is two resources. The one called
    default is joined at its first use. If the lockspace exists it is left as it is; with --new that is an error.

    The order says what is done when a member has failed, and what waits for what. fence-first: the failed node is fenced
    before locks are recovered. gfs: applications are suspended first, locks and fencing go on side by side, the failed
    node's data is recovered after both, applications resume. none: locks are recovered, nobody is fenced for it. Or
    write it out, in pairs of suspend, fence, dlm, app, resume, the first of which ends before the second begins, parted
    by spaces or commas.

    Who is master of a name is kept in a directory, a part of it on each member: usually it is the first who locked the name,
    and stays so while others come and go. With --nodir it is the member to which the name belongs, so that nobody has to
    ask who it is, and whenever members come or go some names go to another master.

    All members must say the same of the value length, the order and the directory.`;
  static override examples = [
    '<%= config.bin %> lockspace create mail',
    { description: 'Fencing before anything else, as it is where nothing is said', command: '<%= config.bin %> lockspace create mail --order fence-first' },
    { description: 'The data of the failed node is put in order before its locks are given to others', command: `<%= config.bin %> lockspace create store --order 'fence < app, app < dlm'` },
    { description: 'With room for longer values', command: '<%= config.bin %> lockspace create jobs --value-length 256' },
  ];
  static override args = { name: options.neededWordArg('the lockspace: 1 to 64 letters, digits and . _ : @ + -, the first a letter or a digit') };
  static override flags = {
    'value-length': options.lengthFlag({ helpValue: 'BYTES', summary: 'the length of its value blocks [default: 32]' }),
    order: Flags.string({ helpValue: 'ORDER', summary: 'gfs, fence-first, none, or one written out [default: fence-first; none without fencing]' }),
    nodir: Flags.boolean({ summary: 'have no directory: the member to which a name belongs is its master' }),
    new: Flags.boolean({ summary: 'fail if this node has joined it already' }),
    ...options.startFlags,
    ...options.quietFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LockspaceCreate);
    const name = lockspaceName(args.name);
    const valueLength = flags['value-length'];
    const client = await this.reach(flags);
    const space = await client.lockspace(name, {
      isNew: flags.new,
      ...(valueLength === undefined ? {} : { valueLength }),
      ...(flags.order === undefined ? {} : { order: flags.order }),
      ...(flags.nodir ? { nodir: true } : {}),
    });
    this.note(`lockspace ${name} is joined; its value blocks have ${space.valueLength} bytes`);
    return { name, valueLength: space.valueLength };
  }
}
