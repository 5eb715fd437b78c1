/**
 * The node's numbers in the text form that Prometheus reads.
 */
import type { Served } from './served.js';

/** Lockspace names have no character that would need escaping. */
export function metrics(at: Served): string {
  const { lockspaces, sessions, uptimeMillis, quorate } = at.status(null);
  const perLockspace = (what: 'resources' | 'locks' | 'orphans'): string[] => [
    `# TYPE dlm_${what} gauge`,
    ...lockspaces.map((lockspace) => `dlm_${what}{lockspace="${lockspace.name}"} ${lockspace[what]}`),
  ];
  const lines = [
    ...perLockspace('resources'),
    ...perLockspace('locks'),
    ...perLockspace('orphans'),
    '# TYPE dlm_sessions gauge',
    `dlm_sessions ${sessions}`,
    '# TYPE dlm_quorate gauge',
    `dlm_quorate ${quorate ? 1 : 0}`,
    '# TYPE dlm_uptime_seconds counter',
    `dlm_uptime_seconds ${uptimeMillis / 1000}`,
  ];
  return `${lines.join('\n')}\n`;
}
