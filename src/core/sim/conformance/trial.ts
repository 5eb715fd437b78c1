/**
 * One scenario, carried out by a node of ours under whatever law is asked for,
 * and held against its recording.
 *
 * The same scenario under two laws is an experiment: what differs between the
 * two is the doing of the switches in which the laws differ, and of nothing else.
 */
import { kernelLaw, type Law } from '../../lock/law.js';
import { compareStep, type Difference } from './compare.js';
import { Device } from './device.js';
import type { RecordedStep } from './recording.js';
import type { Scenario } from './scenario.js';

/** Of how many races in a scenario all outcomes are tried. */
const racesMax = 5;

export class Trial {
  #outrun: number | null = null;
  readonly #byLaw = new Map<string, readonly (readonly Difference[])[]>();

  constructor(
    readonly scenario: Scenario,
    readonly recorded: readonly RecordedStep[],
  ) {}

  /** Step by step, the differences from the kernel under this law. */
  under(law: Law): readonly (readonly Difference[])[] {
    const key = JSON.stringify(law);
    const known = this.#byLaw.get(key);
    if (known !== undefined) return known;
    const differences = this.#run(law);
    this.#byLaw.set(key, differences);
    return differences;
  }

  #run(law: Law): Difference[][] {
    this.#outrun ??= this.#racesOfKernel();
    return this.#runWith(law, this.#outrun);
  }

  /** How the races of this scenario went in the recording: the first possibility in which the kernel's law agrees. */
  #racesOfKernel(): number {
    const count = this.scenario.nodes === 1 ? 0 : this.scenario.steps.filter(({ inHaste }) => inHaste).length;
    for (let outrun = 0; outrun < 1 << Math.min(count, racesMax); outrun += 1) {
      if (this.#runWith(kernelLaw, outrun).every((differences) => differences.length === 0)) return outrun;
    }
    return 0;
  }

  #runWith(law: Law, outrun: number): Difference[][] {
    const { scenario, recorded } = this;
    const device = new Device(law, { scenario, recorded, outrun });
    return this.scenario.steps.map((step, index) => {
      const ours = device.perform(step);
      const kernel = this.recorded[index];
      if (kernel !== undefined && kernel.op === step.line) return compareStep(kernel, ours);
      return [{ kind: 'op', subject: '', part: '', kernel: kernel?.op ?? 'not recorded', ours: step.line }];
    });
  }
}
