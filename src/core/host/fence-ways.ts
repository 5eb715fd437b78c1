/**
 * Ways to fence that are ours and need no agent, by name. In a file of their own, because
 * every command knows them and few need more of fencing.
 */
export const fenceWays = ['process', 'lease', 'stonith_admin', 'none'] as const;

export type FenceWay = (typeof fenceWays)[number];
