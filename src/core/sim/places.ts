/**
 * Where each life and each claim of a world is, in the words of its trace. It goes by the
 * events alone, and forgets a claim when it has ended.
 */
import type { Life, SimEvent } from './event.js';

export class Places {
  readonly #ofLife = new Map<Life, string>();
  readonly #ofClaim = new Map<number, string>();

  of(event: SimEvent): string {
    if (event.kind === 'started') this.#ofLife.set(event.life, `n${event.node}.${event.life}`);
    const place = 'life' in event ? (this.#ofLife.get(event.life) ?? `life ${event.life}`) : '';
    if (event.kind === 'submitted') {
      const where = `${place} ${event.lockspace}/${event.resource} `;
      if (event.operation === 'lock' || event.operation === 'adopt') this.#ofClaim.set(event.claim, where);
      return where;
    }
    if (!('claim' in event)) return place;
    const where = this.#ofClaim.get(event.claim) ?? place;
    if (event.kind === 'completed' && event.status === 'EUNLOCK') this.#ofClaim.delete(event.claim);
    return where;
  }
}
