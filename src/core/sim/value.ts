/**
 * The values that simulated owners write: each holds a number of its own, so that
 * who reads one can tell which write it is of.
 */
const valueLength = 32;

export function valueOfNumber(number: number): Uint8Array {
  const bytes = new Uint8Array(valueLength);
  let rest = number;
  for (let index = 0; index < 6; index += 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  // The far end too, so that a value that was cut short is noticed.
  bytes[valueLength - 1] = (number % 251) + 1;
  return bytes;
}

/** The number in a value; -1, if nobody wrote such a value. */
export function numberOfValue(bytes: Uint8Array): number {
  let number = 0;
  for (let index = 5; index >= 0; index -= 1) number = number * 256 + bytes[index]!;
  return bytes.length === valueLength && bytes[valueLength - 1] === (number % 251) + 1 ? number : -1;
}
