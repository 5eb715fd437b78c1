/**
 * How much fits into what nodes send.
 *
 * Whoever sends keeps to these, and a message that does not is a mistake of ours.
 * Whoever reads checks them before it makes room for anything. A frame is closed with
 * the message that takes it past `frameBytesWanted`, and the longest message is a list
 * of `listMax` locks, each with the longest name and value; both together stay below
 * `frameBytesMax`.
 */

/** Of a name, in bytes. */
export const nameBytesMax = 64;

/** Of what a verdict says to people, in bytes. */
export const wordsBytesMax = 400;

/** Of a value block. */
export const valueBytesMax = 4096;

/** Of what a node tells people of itself. */
export const textBytesMax = 1024 * 1024;

/** Of a list in a message: names, locks, slots. Longer ones are sent in batches. */
export const listMax = 1000;

/** A frame longer than this takes no more messages. */
export const frameBytesWanted = 32 * 1024;

/** Of a frame. */
export const frameBytesMax = 6 * 1024 * 1024;

/** Of messages in a frame. */
export const frameMessagesMax = 4096;
