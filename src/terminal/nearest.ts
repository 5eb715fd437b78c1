/**
 * Which of the words that exist was meant by one that does not.
 *
 * The distance of two words is the number of letters to insert, leave out, exchange or
 * swap with their neighbour until they are the same.
 */

/** The closest one, unless every other is too far for a slip of the fingers; null then. */
export function nearest(typed: string, words: readonly string[]): string | null {
  const farthest = typed.length < 4 ? 1 : 2;
  const found = words.map((word) => ({ word, distance: distanceOf(typed, word) })).filter(({ distance }) => distance <= farthest);
  return found.sort((one, other) => one.distance - other.distance)[0]?.word ?? null;
}

function distanceOf(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    const cells = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const exchanged = rows[row - 1]![column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1);
      const isSwapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const swapped = isSwapped ? rows[row - 2]![column - 2]! + 1 : Infinity;
      cells.push(Math.min(rows[row - 1]![column]! + 1, cells[column - 1]! + 1, exchanged, swapped));
    }
    rows.push(cells);
  }
  return rows[one.length]![other.length]!;
}
