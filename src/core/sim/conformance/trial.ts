/**
 * One scenario, carried out by a node of ours under whatever law is asked for,
 * and held against its recording.
 *
 * The same scenario under two laws is an experiment: what differs between the
 * two is the doing of the switches in which the laws differ, and of nothing else.
 */
import { kernelLaw, type Law } from '../../lock/law.js';
import { compareStep, type Difference } from './compare.js';
import { Device, type Haste } from './device.js';
import type { RecordedStep } from './recording.js';
import type { Scenario } from './scenario.js';

export class Trial {
  #haste: Haste | null = null;
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

  /** A step in haste is a race with the network; the kernel shows how it went. */
  #run(law: Law): Difference[][] {
    this.#haste ??= this.#hasteOfKernel();
    return this.#runWith(law, this.#haste);
  }

  #hasteOfKernel(): Haste {
    const isRace = this.scenario.nodes > 1 && this.scenario.steps.some(({ inHaste }) => inHaste);
    if (!isRace) return 'delivered';
    const agrees = (haste: Haste): boolean => this.#runWith(kernelLaw, haste).every((differences) => differences.length === 0);
    return !agrees('delivered') && agrees('under way') ? 'under way' : 'delivered';
  }

  #runWith(law: Law, haste: Haste): Difference[][] {
    const { scenario, recorded } = this;
    const device = new Device(law, { scenario, recorded, haste });
    return this.scenario.steps.map((step, index) => {
      const ours = device.perform(step);
      const kernel = this.recorded[index];
      if (kernel !== undefined && kernel.op === step.line) return compareStep(kernel, ours);
      return [{ kind: 'op', subject: '', part: '', kernel: kernel?.op ?? 'not recorded', ours: step.line }];
    });
  }
}
