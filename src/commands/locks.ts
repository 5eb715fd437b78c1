/**
 * The locks of this node.
 */
import * as Flags from '@oclif/core/flags';
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError, defaultLockspace, type NodeClient } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { inProcessFlags, type InProcessFlags } from '../terminal/cluster-flags.js';
import { describeUnlisted, locksEverywhere } from '../terminal/describe.js';
import { describeStop } from '../terminal/describe-status.js';
import * as options from '../terminal/flags.js';
import { takeName } from '../terminal/names.js';
import { prose } from '../terminal/prose.js';
import { locksTable } from '../terminal/tables.js';

/** How long a recovery may take before nothing is listed. */
const settleMillis = 10_000;
const lookMillis = 20;

export default class Locks extends BaseCommand {
  static override summary = 'List locks: who holds, who converts, who waits';
  static override usage = 'locks [NAME] [-l LOCKSPACE] [--all-nodes] [--waiting] [--in-process -C CLUSTER]';
  static override description = prose`
    All lockspaces are listed unless -l names one. MODE shows what is held and, behind >, what is asked for: PR>EX
    holds PR and converts to EX. PLACE is the place in its queue, conversions first. AGE is how long the lock has
    been in that state. In a cluster the list is what the node here holds and decides about, unless --all-nodes asks
    everybody; a member that does not answer within a second is named on standard error, also with --json, and the
    exit code stays 0. With --in-process this command is a member meanwhile, and asks everybody.`;
  static override examples = [
    '<%= config.bin %> locks',
    { description: 'Who keeps me from the counter?', command: '<%= config.bin %> locks counter' },
    { description: 'For a script', command: `<%= config.bin %> locks --json | jq -r '.[] | select(.state == "waiting") | .id'` },
  ];
  static override args = { name: options.nameArg };
  static override flags = {
    ...options.onlyLockspaceFlag,
    ...options.nameHexFlag,
    'all-nodes': Flags.boolean({ char: 'a', summary: 'of all members of the cluster, not only of the node here' }),
    waiting: Flags.boolean({ summary: 'only those that wait or convert' }),
    ...inProcessFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Locks);
    const target = takeName(args.name === undefined ? [] : [args.name], flags['name-hex']);
    const isMember = flags['in-process'] === true;
    const client = isMember ? await this.#beMember(flags) : await this.reach();
    const filter = { ...(flags.lockspace === undefined ? {} : { lockspace: flags.lockspace }), ...(target === null ? {} : { name: target.name }) };
    const { locks: all, unlisted } = flags['all-nodes'] || isMember ? await client.locksOfAll(filter) : { locks: await client.locks(filter), unlisted: [] };
    const locks = flags.waiting ? all.filter((lock) => lock.state !== 'granted') : all;
    if (locks.length > 0) this.print(locksTable(locks));
    else this.note(await this.#nothing(client, target?.shown ?? null, flags['all-nodes'] || isMember ? 'all' : flags));
    for (const words of describeUnlisted(unlisted)) this.warnAnyway(words);
    return locks;
  }

  /** That there are none is known of those who were asked only. */
  async #nothing(client: NodeClient, shown: string | null, asked: 'all' | { readonly lockspace?: string | undefined }): Promise<string> {
    const which = shown === null ? '' : ` on ${shown}`;
    if (asked === 'all' || (await client.status()).cluster === null) return `there are no locks${which}`;
    return `this node knows of no locks${which}; ask all members with: ${locksEverywhere(shown ?? '', asked.lockspace ?? defaultLockspace)}`;
  }

  /** Who is in the lockspace is known when its recovery with us is over. */
  async #beMember(flags: InProcessFlags & { readonly lockspace?: string | undefined }): Promise<NodeClient> {
    const { client, space } = await this.reachLockspace(flags);
    const end = performance.now() + settleMillis;
    for (;;) {
      const stop = describeStop(await client.status(space.name), space.name);
      if (stop.length === 0) return client;
      if (performance.now() > end) throw new DlmError('DLM_TIMED_OUT', stop[0]!, 'see: dlm node status on a node of the cluster');
      await pause(lookMillis);
    }
  }
}
