/**
 * Run worlds made from seeds, and see that every property holds.
 */
import { Tally, runSimulation, seedCommand, type SimReport } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { counted } from '../../terminal/describe.js';
import { countFlag, nodesFlag, seedFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';

export default class SimRun extends BaseCommand {
  static override summary = 'Run a simulated cluster from a seed, with everything going wrong';
  static override usage = 'sim run [--seed N] [--runs K] [--nodes N] [--minutes N]';
  static override description = prose`
    The code that also serves real locks runs in a world made from the seed: virtual time, a network that loses,
    repeats and reorders, nodes that crash, pause and come back, views that arrive late. What owners are told is
    checked all the while; then the trouble ends, and everything that was asked for must end too.

    The same seed is the same world, to the last line: its fingerprint tells. The exit code is 1 if a property
    was broken; the command that repeats the failing seed is printed with it.`;
  static override examples = [
    '<%= config.bin %> sim run --seed 7',
    '<%= config.bin %> sim run --seed 1 --runs 100 --nodes 5 --minutes 1',
  ];
  static override flags = {
    seed: seedFlag({ default: 1, helpValue: 'N', summary: 'what the world is made from' }),
    runs: countFlag({ default: 1, helpValue: 'K', summary: 'run so many seeds, from this one on' }),
    nodes: nodesFlag({ default: 5, helpValue: 'N', summary: 'how many nodes there are' }),
    minutes: countFlag({ default: 10, helpValue: 'N', summary: 'for how many simulated minutes things go wrong' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(SimRun);
    const tally = new Tally();
    const reports: SimReport[] = [];
    for (let seed = flags.seed; seed < flags.seed + flags.runs; seed += 1) {
      const report = await runSimulation({ seed, nodes: flags.nodes, minutes: flags.minutes });
      tally.add(report);
      if (this.jsonEnabled()) reports.push(report);
      if (flags.runs === 1) this.#printWorld(report);
      else this.print(`seed ${seed}: ${report.fingerprint}${report.failure === null ? '' : `, ${report.failure.property} broken`}`);
      if (report.failure !== null) this.#printFailure(report);
    }
    this.#printSum(tally);
    if (tally.failures > 0) process.exitCode = 1;
    return flags.runs === 1 ? reports[0] : reports;
  }

  #printWorld({ options, seed, fingerprint }: SimReport): void {
    this.print(`seed ${seed}: ${fingerprint}`);
    for (const part of ['lockspace', 'network', 'engine', 'nemesis', 'workload', 'aftermath'] as const) this.print(`${part}: ${JSON.stringify(options[part])}`);
    this.print(`weights: ${options.weights.join(' ')}`);
  }

  #printFailure({ failure, ...report }: SimReport): void {
    if (failure === null) return;
    if (failure.story.length > 0) this.print('what concerns it:');
    for (const line of failure.story) this.print(`  ${line}`);
    this.print('the last lines:');
    for (const line of failure.tail) this.print(`  ${line}`);
    this.print(`${failure.property} is broken after ${failure.atMillis} ms: ${failure.message}`);
    if (failure.where !== null) this.print(`  ${failure.where}`);
    this.print(`again with: ${seedCommand(report)}`);
  }

  #printSum({ runs, faults, stakes, steps, hours, failures }: Tally): void {
    this.print(`faults: ${pairs(faults)}`);
    for (const [property, counts] of Object.entries(stakes)) this.print(`${property}: ${pairs(counts)}`);
    this.print(`${counted(runs, 'seed')}, ${hours.toFixed(2)} simulated hours, ${counted(steps, 'step')}, ${failures} failed`);
  }
}

function pairs(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
