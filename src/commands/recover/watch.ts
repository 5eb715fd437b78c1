/**
 * How recovery stands, for as long as somebody looks.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, followNode, type RecoveryNews } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { recoveryFlags } from '../../terminal/chosen-recovery.js';
import { LiveRecovery, canDraw, watchPath } from '../../terminal/live-recovery.js';
import { OutputWatch } from '../../terminal/output-watch.js';
import { endOf } from '../../terminal/own-end.js';
import { prose } from '../../terminal/prose.js';
import { changeLines, glanceAfter, type Focus, type Glance } from '../../terminal/recovery-glance.js';
import { frameOf, textOf } from '../../terminal/recovery-frame.js';
import { isDlmError } from '../../terminal/report.js';
import { exitOfSignal, SignalWatch } from '../../terminal/signals.js';

/** Nothing is cut that is printed once. */
const allRoom = { columns: 1000, rows: 1000 };

export default class RecoverWatch extends BaseCommand {
  static override summary = 'Watch what each lockspace waits for, and recoveries as they happen';
  static override usage = 'recover watch [--lockspace NAME] [--once | --plain]';
  static override description = prose`
    On a terminal it is one picture that changes: who is in the cluster and how we are linked; for each lockspace the
    ladder ringid, quorum, fencing, suspend, dlm, app with the rung it stands on, for whom it waits and why; who has
    failed and may still act; and the last steps of the newest recovery. q and Ctrl-C leave. Without a terminal, or with
    --plain, there is a line whenever something changes, and with --json a document a line: state, step, ended. With
    --once the picture is printed as it is now. It ends with the node, with exit code 95, and when nobody reads its
    output.`;
  static override examples = [
    '<%= config.bin %> recover watch',
    { description: 'For a log', command: '<%= config.bin %> recover watch --plain >> recovery.log' },
    { description: 'How it stands, once', command: '<%= config.bin %> recover watch --once' },
  ];
  static override flags = {
    ...recoveryFlags,
    once: Flags.boolean({ summary: 'print how it stands now, and end', exclusive: ['plain'] }),
    plain: Flags.boolean({ summary: 'lines also on a terminal' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(RecoverWatch);
    const focus = { lockspace: flags.lockspace };
    const signals = new SignalWatch();
    try {
      if (flags.once || flags.plain || this.jsonEnabled() || !canDraw()) await this.#print(focus, flags.once, signals.aborted);
      else await this.#draw(focus, signals);
    } catch (error) {
      if (!isDlmError(error, 'DLM_CANCELLED') || signals.first === null) throw error;
      process.exitCode = exitOfSignal(signals.first);
      endOf(signals.first);
    } finally {
      signals.stop();
    }
    return undefined;
  }

  /** Until whoever reads it has read enough. */
  async #print(focus: Focus, isOnce: boolean, signal: AbortSignal): Promise<void> {
    const unread = new AbortController();
    const output = new OutputWatch(() => unread.abort());
    try {
      await this.#printAll(focus, isOnce, AbortSignal.any([signal, unread.signal]));
    } catch (error) {
      if (!unread.signal.aborted || signal.aborted) throw error;
    } finally {
      output.stop();
    }
  }

  async #printAll(focus: Focus, isOnce: boolean, signal: AbortSignal): Promise<void> {
    let glance: Glance | null = null;
    for await (const news of followNode<RecoveryNews>({ method: 'GET', path: watchPath, signal })) {
      const before = glance;
      glance = glanceAfter(before, news, focus);
      if (glance === null) continue;
      if (this.jsonEnabled()) this.#printJson(news, before, glance);
      else for (const line of isOnce ? frameOf(glance, allRoom).map(textOf) : changeLines(before, glance, news)) this.print(line);
      if (isOnce) return;
    }
    throw new DlmError('DLM_NO_NODE', 'the node has ended');
  }

  /** As it was told, but for what is about other lockspaces. */
  #printJson(news: RecoveryNews, before: Glance | null, { state, course }: Glance): void {
    const isOurs = news.event === 'state' || course !== before?.course;
    if (isOurs) process.stdout.write(`${JSON.stringify(news.event === 'state' ? state : news)}\n`);
  }

  async #draw(focus: Focus, signals: SignalWatch): Promise<void> {
    const left = new AbortController();
    const live = new LiveRecovery({
      focus,
      signal: signals.aborted,
      onLeave: (key) => (key === 'q' ? left.abort() : process.kill(process.pid, 'SIGINT')),
    });
    left.signal.addEventListener('abort', () => void live.close());
    try {
      await live.show();
      await live.followed;
      throw new DlmError('DLM_NO_NODE', 'the node has ended');
    } catch (error) {
      if (!left.signal.aborted) throw error;
    } finally {
      await live.close();
    }
  }
}
