/**
 * How contestants are compared: they take short turns, one after another, in many rounds.
 *
 * A round is one turn of each, and only figures of one round are divided by one another,
 * since a machine that others use is slow for seconds and then quick for seconds. Every
 * other round goes backwards, so that nobody always comes after the same one. What is
 * reported is the median of the rounds' ratios; the quartiles are said beside it, so that
 * a reader sees how much it is worth. Rounds before that warm everybody up: what is
 * compiled while it runs takes some seconds to reach its speed.
 */
import { median } from './table.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 15);
const warmups = Number(process.env['BENCH_WARMUPS'] ?? 8);
const turnMillis = Number(process.env['BENCH_MILLIS'] ?? 250);

export type Work = (worker: number) => Promise<unknown>;

export interface Speed {
  readonly rate: number;
  /** Of one after another, in microseconds. */
  readonly p50: number;
  /** The rate in a second of processor time, of all processes that take part, if that was looked at. */
  readonly frugality: number;
}

/** So many workers at it, for a turn. */
export async function timed(workers: number, work: Work): Promise<Speed> {
  const start = performance.now();
  const end = start + turnMillis;
  const times: number[] = [];
  let count = 0;
  const worker = async (number: number): Promise<void> => {
    for (let before = performance.now(); before < end; count += 1) {
      await work(number);
      const after = performance.now();
      if (workers === 1) times.push(after - before);
      before = after;
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, number) => worker(number)));
  return { rate: (count * 1000) / (performance.now() - start), p50: times.length === 0 ? 0 : median(times) * 1000, frugality: 0 };
}

/** Each in turn, round after round. Returns what the rounds gave, by name. */
export async function inTurn(contestants: Readonly<Record<string, () => Promise<Speed>>>): Promise<Map<string, Speed[]>> {
  const entries = Object.entries(contestants);
  const speeds = new Map<string, Speed[]>(entries.map(([name]) => [name, []]));
  for (let round = -warmups; round < rounds; round += 1) {
    for (const [name, contest] of round % 2 === 0 ? entries : entries.toReversed()) {
      const speed = await contest();
      if (round >= 0) speeds.get(name)!.push(speed);
    }
  }
  return speeds;
}

/** The median of the rounds' ratios, and in words how they are spread. */
export function compare(ours: readonly Speed[], theirs: readonly Speed[], figure: keyof Speed): { ratio: number; spread: string } {
  const ratios = ours.map((speed, round) => speed[figure] / theirs[round]![figure]).sort((one, other) => one - other);
  const at = (share: number): string => ratios[Math.floor(share * (ratios.length - 1))]!.toFixed(2);
  return { ratio: median(ratios), spread: `ratios of ${ratios.length} rounds: ${at(0)} at least, half of them ${at(0.25)} to ${at(0.75)}, ${at(1)} at most` };
}

export const middle = (speeds: readonly Speed[], figure: keyof Speed): number => median(speeds.map((speed) => speed[figure]));
