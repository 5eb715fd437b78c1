/**
 * What can be seen of a node from outside: plain data, copied out. Drivers and
 * worlds know the rooms behind it only by these shapes.
 */
export type { Member, View } from '../cluster/view.js';
export type { LockDump, LockspaceDump, ResourceDump } from '../lockspace/dump.js';
export { phaseNames } from '../wire/kinds.js';
export { defaultConfig, type LockspaceConfig } from '../lockspace/lockspace.js';
