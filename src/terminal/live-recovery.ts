/**
 * Follow how recovery stands, and draw it on the terminal.
 *
 * Following begins at once, and drawing when it is asked for: to load what draws takes
 * longer than most recoveries, and nothing of them may be missed. Nothing else in the
 * program loads it.
 */
import { followNode, type RecoveryNews } from '../core/index.js';
import { frameOf } from './recovery-frame.js';
import { glanceAfter, type Focus, type Glance } from './recovery-glance.js';
import type { Screen, ScreenOptions } from './recovery-view.js';

export const watchPath = '/v1/recovery/watch';

/** Is there a screen to draw on? */
export function canDraw(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}

export class LiveRecovery {
  /** Rejects with what ended it: `DLM_CANCELLED` after `close`, or when the signal is aborted. */
  readonly followed: Promise<void>;
  /** The first state has arrived: from here on nothing is missed. */
  readonly begun: Promise<void>;
  readonly #over = new AbortController();
  readonly #focus: Focus;
  readonly #onLeave: ScreenOptions['onLeave'];
  #glance: Glance | null = null;
  #screen: Promise<Screen> | null = null;
  #open: Screen | null = null;
  #closed: Promise<void> | undefined;

  constructor({ focus = {}, signal, onLeave }: { readonly focus?: Focus; readonly signal: AbortSignal; readonly onLeave: ScreenOptions['onLeave'] }) {
    this.#focus = focus;
    this.#onLeave = onLeave;
    let begin: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (begin = resolve));
    this.followed = this.#follow(AbortSignal.any([signal, this.#over.signal]), begin);
    this.followed.catch(() => undefined);
    this.begun = Promise.race([first, this.followed]);
    this.begun.catch(() => undefined);
  }

  /** From now on it is drawn. */
  async show(): Promise<void> {
    this.#screen ??= screenFor(this.#onLeave);
    this.#open = await this.#screen;
    this.#draw();
  }

  /** The last picture stays. May be called again. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.followed.catch(() => undefined);
    this.#closed ??= this.#screen?.then((screen) => screen.close());
    await this.#closed;
  }

  async #follow(signal: AbortSignal, begin: () => void): Promise<void> {
    for await (const news of followNode<RecoveryNews>({ method: 'GET', path: watchPath, signal })) {
      this.#glance = glanceAfter(this.#glance, news, this.#focus);
      begin();
      this.#draw();
    }
  }

  #draw(): void {
    const glance = this.#glance;
    if (glance !== null) this.#open?.draw((room) => frameOf(glance, room));
  }
}

async function screenFor(onLeave: ScreenOptions['onLeave']): Promise<Screen> {
  // react looks once, when it is loaded, whether it is to check what it does.
  process.env.NODE_ENV ??= 'production';
  const { openScreen } = await import('./recovery-view.js');
  return openScreen({ isColoured: (process.env.NO_COLOR ?? '') === '', hasKeys: process.stdin.isTTY === true, onLeave });
}
