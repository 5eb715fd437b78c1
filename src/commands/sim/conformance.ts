/**
 * Hold the lock law against recordings of a kernel.
 */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { defaultLaw, kernelLaw, loadReferee } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { counted } from '../../terminal/describe.js';
import { prose } from '../../terminal/prose.js';
import { readRecordings } from '../../terminal/recordings.js';

export default class SimConformance extends BaseCommand {
  static override summary = 'Hold the lock law against recordings of a running kernel';
  static override usage = 'sim conformance PATH… [--law kernel|default]';
  static override description = prose`
    PATH is a folder that holds scenarios/*.txt and results/*.jsonl, or one scenario file that lies beside its
    result. Every scenario, for one node or several, is carried out by the code that also serves real locks, and
    compared step by step with what the kernel did. Each difference is a line; the exit code is 1 if any step differs.

    By the kernel's law nothing may differ. By the default law, differences that follow from a choice of this
    project are named by the rule and counted apart.`;
  static override examples = [
    '<%= config.bin %> sim conformance test/conformance/recordings',
    '<%= config.bin %> sim conformance test/conformance/recordings --law default',
  ];
  static override args = {
    path: Args.string({ description: 'a folder of recordings, or a scenario file', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    law: Flags.string({ options: ['kernel', 'default'], default: 'kernel', summary: 'by whose law' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SimConformance);
    const { closingLine, countByRule, describeStep, runConformance, sumOf, unexplainedSteps } = await loadReferee();
    const law = flags.law === 'kernel' ? kernelLaw : defaultLaw;
    const recordings = args.path.flatMap(readRecordings);
    const report = sumOf(recordings.map(({ scenarios, results }) => runConformance(scenarios, results, law)));

    const unexplained = unexplainedSteps(report);
    for (const step of unexplained) for (const line of describeStep(step)) this.print(line);
    for (const [rule, count] of countByRule(report)) this.print(`by rule ${rule}: ${counted(count, 'difference')}`);
    this.print(closingLine(report));
    if (unexplained.length > 0) process.exitCode = 1;
    return { ...report, law: flags.law, differ: unexplained.length };
  }
}
