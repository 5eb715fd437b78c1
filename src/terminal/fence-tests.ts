/**
 * What fence devices answered, in words: a row each, and more about those that did not.
 */
import { escapeText, type FenceTest, type Remark } from '../core/index.js';
import { formatDuration } from './durations.js';
import { table } from './tables.js';

export interface TestedNode extends FenceTest {
  readonly node: number;
}

export function fenceTestTable(nodes: readonly TestedNode[]): string {
  const rows = nodes.flatMap(({ node, attempts, reason }) => {
    if (attempts.length === 0) return [[String(node), '', '', '', '', reason, '']];
    return attempts.map(({ level, device, agent, action, verdict, reason: why, millis }) => {
      const answer = verdict === 'failed' || verdict === 'assumed' ? why : verdict;
      return [String(node), String(level), device, agent, action, answer, formatDuration(millis)].map(escapeText);
    });
  });
  return table(['NODE', 'LEVEL', 'DEVICE', 'AGENT', 'ASKED', 'ANSWER', 'TIME'], rows);
}

/** What an agent printed that did not do as it was asked; its last lines, where the reason is. */
export function describeTrouble({ node, isWell, attempts }: TestedNode): string[] {
  if (isWell) return [];
  const said = attempts.filter(({ verdict, output }) => (verdict === 'failed' || verdict === 'timed out') && output !== '');
  return said.flatMap(({ device, output }) => {
    const lines = output.split('\n').filter((line) => line.trim() !== '');
    return lines.slice(-3).map((line) => `node ${node}, ${device}: ${escapeText(line)}`);
  });
}

export function describeRemark(path: string, { line, says, instead }: Remark): string {
  return `${path} line ${line}: ${says}; ${instead}`;
}
