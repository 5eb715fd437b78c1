/**
 * Where the masters were in a recording, so that ours can be there as well.
 *
 * Who becomes master is no rule: it is whoever asks the directory first, and after
 * the death of a master that is a race. But the order of those who wait and the
 * callbacks that are repeated follow from it. So from the first change of members on,
 * and without a directory always, the node that became master in the recording is
 * the directory node too; then it is the first to ask.
 */
import { nodeId, type NodeId, type ViewId } from '../../base/ids.js';
import type { RecordedStep } from './recording.js';
import { showName } from './show.js';

export class Placement {
  readonly #recorded: readonly RecordedStep[];
  readonly #nodir: boolean;
  /** At which step each view came; the first is number 1. */
  readonly #beginnings: number[] = [0, 0];

  constructor(recorded: readonly RecordedStep[], nodir: boolean) {
    this.#recorded = recorded;
    this.#nodir = nodir;
  }

  /** That view, if it comes, comes with that step. */
  note(view: number, step: number): void {
    this.#beginnings[view] = step;
  }

  readonly directoryOf = (name: string, view: ViewId): NodeId | null => {
    if (view === 1 && !this.#nodir) return null;
    const shown = showName(name);
    for (const { st } of this.#recorded.slice(this.#beginnings[view] ?? 0)) {
      const master = st?.[shown]?.master;
      if (master !== undefined) return nodeId(master);
    }
    return null;
  };
}
