/**
 * What can be seen of a node from outside: plain data, copied out. Drivers and
 * worlds know the rooms behind it only by these shapes.
 */
export type { Member, View } from '../cluster/view.js';
export type { LockDump, LockspaceDump, ResourceDump } from '../lockspace/dump.js';
export { phaseNames } from '../wire/kinds.js';
export { defaultConfig, type LockspaceConfig } from '../lockspace/lockspace.js';
export { lockspaceIdOf } from '../lockspace/tables.js';
export { checkTrace, type StepEvent, type TraceScope } from '../cluster/order-trace.js';
export { nameOf, parseOrder, presets, steps, type Order, type Step } from '../cluster/order.js';
export { noFencing, type CancelFence, type Fence, type FencingConfig } from '../cluster/fencing.js';
export type { FailureCase, PendingSlot } from '../wire/message.js';
export type { Rung, Standstill } from './ladder.js';
