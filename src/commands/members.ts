/**
 * The members of the cluster, and what becomes of them.
 *
 * Nobody is told of changes by the node: it keeps the last ones, and is asked for
 * them several times a second.
 */
import * as Flags from '@oclif/core/flags';
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeClient } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { describeChange, describeOtherKeys, membershipOf, membersTable } from '../terminal/members.js';
import { OutputWatch } from '../terminal/output-watch.js';
import { prose } from '../terminal/prose.js';
import { endOf } from '../terminal/own-end.js';
import { exitOfSignal, SignalWatch } from '../terminal/signals.js';

const lookMillis = 250;

export default class Members extends BaseCommand {
  static override summary = 'List the members of the cluster, and watch them come and go';
  static override usage = 'members [--watch]';
  static override description = prose`
    As the node here knows them. With --watch it goes on with a line for each change, until it is interrupted, the node
    ends, or nobody reads its output: when, the number of the view that says so, and who is here, has left, or has
    failed. With --json every line is a document: first the members, then a change each.`;
  static override examples = ['<%= config.bin %> members', { description: 'Tell me when somebody fails', command: `<%= config.bin %> members --watch | grep --line-buffered failed` }];
  static override flags = {
    watch: Flags.boolean({ summary: 'go on with a line for each change' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Members);
    const client = await this.reach();
    const present = membershipOf(await client.status());
    this.print(membersTable(present.members));
    this.noteAll(describeOtherKeys(present.members));
    if (!flags.watch) return present;
    if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify(present)}\n`);
    await this.#watch(client, present.view ?? 0);
    return undefined;
  }

  /** `seen`: the number of the last view that was shown. */
  async #watch(client: NodeClient, seen: number): Promise<void> {
    const signals = new SignalWatch();
    const unread = new AbortController();
    const output = new OutputWatch(() => unread.abort());
    const isOver = AbortSignal.any([signals.aborted, unread.signal]);
    while (!isOver.aborted) {
      const { cluster } = await client.status();
      const fresh = (cluster?.changes ?? []).filter(({ view }) => view > seen);
      for (const change of fresh) process.stdout.write(`${this.jsonEnabled() ? JSON.stringify(change) : describeChange(change)}\n`);
      seen = fresh.at(-1)?.view ?? seen;
      await pause(lookMillis, undefined, { signal: isOver }).catch(() => undefined);
    }
    output.stop();
    if (signals.first !== null) process.exitCode = exitOfSignal(signals.first);
    endOf(signals.first);
  }
}
