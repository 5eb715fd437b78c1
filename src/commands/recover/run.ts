/**
 * Declare a node failed, and follow its recovery to the end.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, askNode, followNode, type RecoveryPlan, type RecoveryStatus, type RunNews } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { confirm, yesFlag } from '../../terminal/confirm.js';
import { durationFlag, neededNodeFlag } from '../../terminal/flags.js';
import { LiveRecovery, canDraw } from '../../terminal/live-recovery.js';
import { whoAsks } from '../../terminal/operator.js';
import { OutputWatch } from '../../terminal/output-watch.js';
import { prose } from '../../terminal/prose.js';
import { describeNews, describeWait, planLines } from '../../terminal/recovery-words.js';
import { Failure, isDlmError } from '../../terminal/report.js';
import { bySignal, SignalWatch, type EndSignal } from '../../terminal/signals.js';

export default class RecoverRun extends BaseCommand {
  static override summary = 'Declare a node failed, have it fenced, and follow the recovery to its end';
  static override usage = 'recover run --node N [--yes] [--force] [--reason WORDS] [--timeout TIME] [--plain] [--dry-run]';
  static override description = prose`
    The node is put out of the cluster, and what each lockspace has ordered for a failure is done: every step is shown
    as it happens, on a terminal in the picture of dlm recover watch, else or with --plain in lines, with --json a
    document each. A node that answers is refused without --force. It may be asked for again
    at any time; where nothing is left to do it ends at once. If it is interrupted, its time is up, or nobody reads its
    output, the recovery goes on all the same: the exit code is 111 then if something is still waited for.`;
  static override examples = [
    '<%= config.bin %> recover run --node 2',
    { description: 'From a script, for a minute at most', command: '<%= config.bin %> recover run --node 2 --yes --timeout 1m --reason "no answer on the console"' },
    { description: 'Only what would happen', command: '<%= config.bin %> recover run --node 2 --dry-run' },
  ];
  static override flags = {
    node: neededNodeFlag,
    ...yesFlag,
    force: Flags.boolean({ summary: 'also if it is a member that answers' }),
    reason: Flags.string({ helpValue: 'WORDS', summary: 'why, for the log of the node' }),
    timeout: durationFlag({ summary: 'how long to follow it' }),
    plain: Flags.boolean({ summary: 'lines also on a terminal' }),
    'dry-run': Flags.boolean({ summary: 'show what would happen, and do nothing' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(RecoverRun);
    const { node, force, timeout } = flags;
    if (flags['dry-run']) return this.#plan(node);
    await confirm(`node ${node} is put out of the cluster, and fenced where a lockspace says so`, flags.yes);
    const reason = `${whoAsks()}${flags.reason === undefined ? '' : `: ${flags.reason}`}`;
    const signals = new SignalWatch();
    const left = new AbortController();
    const ends = [signals.aborted, left.signal, ...(timeout === undefined ? [] : [AbortSignal.timeout(timeout)])];
    const run = followNode<RunNews>({ method: 'POST', path: '/v1/recovery/run', body: { node, force, reason }, signal: AbortSignal.any(ends) });
    try {
      if (flags.plain || this.jsonEnabled() || !canDraw()) await this.#print(run, left);
      else await this.#draw(run, signals, left);
    } catch (error) {
      if (!isDlmError(error, 'DLM_CANCELLED')) throw error;
      throw await this.#stillWaiting(node, signals.first);
    } finally {
      signals.stop();
    }
    return undefined;
  }

  /** Whoever stops reading leaves, but not before the run has begun: it is not for the reader that it was asked for. */
  async #print(run: AsyncIterable<RunNews>, left: AbortController): Promise<void> {
    let output: OutputWatch | null = null;
    try {
      for await (const news of run) {
        output ??= new OutputWatch(() => left.abort());
        this.#tell(news);
      }
    } finally {
      output?.stop();
    }
  }

  /** Nothing is drawn of a run that is refused. */
  async #draw(run: AsyncIterable<RunNews>, signals: SignalWatch, left: AbortController): Promise<void> {
    const live = new LiveRecovery({ signal: signals.aborted, onLeave: (key) => (key === 'q' ? left.abort() : process.kill(process.pid, 'SIGINT')) });
    let last: RunNews | null = null;
    try {
      await live.begun;
      for await (const news of run) {
        last = news;
        await live.show();
      }
      // What was told to both of us before this answer has arrived with it.
      await askNode<RecoveryStatus>({ method: 'GET', path: '/v1/recovery' });
    } finally {
      await live.close();
    }
    if (last !== null) this.#tell(last);
  }

  #tell(news: RunNews): void {
    if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify(news)}\n`);
    else for (const line of describeNews(news)) this.print(line);
  }

  async #stillWaiting(node: number, ended: EndSignal | null): Promise<Failure> {
    const { lockspaces } = await askNode<RecoveryStatus>({ method: 'GET', path: '/v1/recovery' });
    const waiting = lockspaces.filter(({ rung }) => rung !== null);
    const error = new DlmError('DLM_WAITING', `the recovery from node ${node} goes on`);
    return new Failure(error, { details: waiting.map(describeWait), facts: { waiting }, ...(ended === null ? {} : bySignal(ended)) });
  }

  async #plan(node: number): Promise<unknown> {
    const plan = await askNode<RecoveryPlan>({ method: 'GET', path: `/v1/recovery/plan/${node}` });
    for (const line of planLines(plan)) this.print(line);
    return plan;
  }
}
