/**
 * Stop the node of this machine.
 */
import * as Flags from '@oclif/core/flags';
import { graceMillis, type LockInfo, type NodeClient } from '../../core/index.js';
import { fateOfValues, inTheWayOfLeaving } from '../../terminal/anchor.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { counted, describeLocks } from '../../terminal/describe.js';
import { quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { Failure, isDlmError } from '../../terminal/report.js';

/** By then all that can be killed have been. */
const stubbornMillis = 3 * graceMillis;
const stubborn = 'a command has not ended, though it was killed: it may be another user\'s, or wait for a disk. The log of the node names it, and the node leaves when it has ended';

export default class NodeLeave extends BaseCommand {
  static override summary = 'Stop the node of this machine';
  static override usage = 'node leave [--drain | --force]';
  static override description = prose`
    Refused while locks are held, and the holders are named. A value that the node keeps (dlm lvb) is no reason to stay:
    it is gone with the node, unless others of the cluster hold a lock on its name. With --drain the node takes no new locks and stops when
    the last has ended; interrupt the command to call that off. With --force it ends the commands that run under its
    locks, and stops. An application is to be ended first; with --force it is killed, and the node counts as failed.`;
  static override examples = ['<%= config.bin %> node leave', '<%= config.bin %> node leave --drain'];
  static override flags = {
    drain: Flags.boolean({ summary: 'wait for the locks that are held to end', exclusive: ['force'] }),
    force: Flags.boolean({ summary: 'end the locks that are held, and the commands under them' }),
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(NodeLeave);
    const client = await this.reach();
    const { node, pid, cluster } = await client.status();
    const inTheWay = async (): Promise<LockInfo[]> => inTheWayOfLeaving(await client.locks(), { node, pid });
    const held = flags.drain ? await inTheWay() : [];
    if (held.length > 0) this.note([`waiting for ${counted(held.length, 'lock')} to end`, ...describeLocks(held, 'resource')].join('\n  '));
    // A node that is alone leaves after a while; its successor waits for them.
    const isWaitedFor = flags.force && (await this.#tellWhoIsEnded(client)) && cluster !== null;
    const values = await fateOfValues(client);
    const patience = isWaitedFor ? setTimeout(() => this.note(stubborn), stubbornMillis) : undefined;
    try {
      await client.leave({ force: flags.force, drain: flags.drain });
    } catch (error) {
      if (!isDlmError(error, 'DLM_NODE_IN_USE')) throw error;
      const holders = await inTheWay();
      throw new Failure(error, { details: describeLocks(holders, 'resource'), facts: { holders } });
    } finally {
      clearTimeout(patience);
    }
    this.note(`node ${node}, pid ${pid}, has left`);
    this.noteAll(values);
    return { node, pid, left: true };
  }

  /** They may take their grace, and everybody in the cluster waits for that. Are there any? */
  async #tellWhoIsEnded(client: NodeClient): Promise<boolean> {
    const commands = (await client.locks()).filter(({ mode, owner, node }) => mode !== null && owner.kind === 'session' && node === client.port.node);
    if (commands.length === 0) return false;
    this.note([`ending ${counted(commands.length, 'lock')}, and the commands under them (TERM, and KILL after ${graceMillis / 1000} s)`, ...describeLocks(commands, 'resource')].join('\n  '));
    return true;
  }
}
