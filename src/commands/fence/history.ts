/**
 * What has been done to fence nodes.
 */
import { escapeText, readFenceHistory, type FenceRecord } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { counted } from '../../terminal/describe.js';
import { wordArg, nodeMax } from '../../terminal/flags.js';
import { parseWhole } from '../../terminal/numbers.js';
import { prose } from '../../terminal/prose.js';
import { formatMillis } from '../../terminal/recovery-words.js';
import { table } from '../../terminal/tables.js';

export default class FenceHistoryCommand extends BaseCommand {
  static override summary = 'Show what was done to fence nodes, and what operators have said';
  static override usage = 'fence history [NODE]';
  static override description = prose`
    Every attempt with its verdict, what came of each round, and every word of an operator, the oldest first, as it was
    done or said here; of what was done elsewhere, what the member there has told: that the node was fenced and how, or
    who has acknowledged it and why. It is read from the node's folder, so no node need run. With --json also what the
    agents have printed.`;
  static override examples = ['<%= config.bin %> fence history', '<%= config.bin %> fence history 2 --json'];
  static override args = { node: wordArg('only about this node') };

  async run(): Promise<unknown> {
    const { args } = await this.parse(FenceHistoryCommand);
    const only = args.node === undefined ? null : parseWhole(args.node, 1, nodeMax);
    const { records, damaged } = await readFenceHistory();
    const chosen = records.filter(({ node }) => only === null || node === only);
    this.print(chosen.length === 0 ? 'nobody has been fenced, as far as this node has done or heard it' : table(['WHEN', 'NODE', 'WHAT', 'VERDICT', 'TOOK', 'WHY'], chosen.map(rowOf)));
    if (damaged > 0) this.note(`${counted(damaged, 'line')} could not be read`);
    return { records: chosen, damaged };
  }
}

function rowOf(record: FenceRecord): string[] {
  const cells = (what: string, verdict: string, took: string, why: string): string[] => [record.at, String(record.node), what, verdict, took, why].map(escapeText);
  switch (record.kind) {
    case 'attempt':
      return cells(`  ${record.device} ${record.action}`, record.verdict, formatMillis(record.millis), record.reason);
    case 'outcome':
      return cells('outcome', record.isAssumed ? 'assumed' : record.result, formatMillis(record.millis), record.by ?? record.reason);
    case 'ack':
      return cells('operator', 'acknowledged', '', `${record.by}: ${record.reason} (${record.evidence})`);
    case 'heard':
      return cells(`node ${record.from}`, record.verdict, '', record.words);
  }
}
