/**
 * The code of a character, for loops over names: every lock has one, and every request writes it.
 *
 * V8 tells strings apart by how they came about (as one piece, put together of others, made unique…), and looks up the
 * method of a string anew for each character as soon as it has met more than four kinds in one place, which costs ten times
 * what the rest of the loop does. Names come in all kinds. Bound to the function itself, nothing is looked up.
 */
export const codeAt: (text: string, index: number) => number = Function.prototype.call.bind(String.prototype.charCodeAt);
