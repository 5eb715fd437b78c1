/**
 * A lockspace that this node had to leave, because the other members have it otherwise:
 * with another order, or other values.
 *
 * That is known only when all have told what they have, a moment after joining. Whoever
 * joins is therefore answered when it is known; whoever comes later is told why the
 * lockspace is not there. Nothing is decided here: the node has left by itself.
 */
import { DlmError } from '../base/errors.js';
import type { Misfit } from '../node/effect.js';
import { nameOf, parseOrder } from '../node/snapshot.js';
import type { Host } from './host.js';
import { escapeText, quoteCommand } from './text.js';

/** Whoever joins is answered after that, whatever keeps the others from telling what they have. */
const tellingMillis = 2000;

/** Until it is seen that the others have it as it was joined. Rejects with `DLM_LOCKSPACE_EXISTS` if they have not. */
export function agreement(host: Host, lockspace: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let forget = (): void => undefined;
    const stop = (): void => {
      clearTimeout(timer);
      forget();
    };
    const look = (changes: number): void => {
      const misfit = host.misfits.get(lockspace);
      if (misfit !== undefined) {
        stop();
        reject(errorOfMisfit(misfit));
      } else if (isBeingTold(host, lockspace)) forget = host.changes.after(changes, look);
      else {
        stop();
        resolve();
      }
    };
    const timer = setTimeout(() => {
      stop();
      resolve();
    }, tellingMillis);
    look(host.changes.seen);
  });
}

/** Everything else that it can wait for may take as long as it wants. */
function isBeingTold({ node }: Host, lockspace: string): boolean {
  const rung = node.standstill(lockspace)?.rung;
  return rung === 'ringid' || rung === 'dlm';
}

export function errorOfMisfit({ lockspace, ours, theirs }: Misfit): DlmError {
  const [here, there] = [termsIn(ours), termsIn(theirs)];
  const differing = Object.keys(there).filter((term) => there[term]!.words !== here[term]?.words);
  const words = (terms: Terms): string => differing.map((term) => terms[term]!.words).join(' and ');
  const options = differing.map((term) => there[term]!.option).join('');
  return new DlmError(
    'DLM_LOCKSPACE_EXISTS',
    `the other members have lockspace '${escapeText(lockspace)}' with ${words(there)}, and here it was joined with ${words(here)}`,
    `join it as they have it${options === '' ? ', without --nodir' : `, with${options}`}`,
  );
}

/** What can differ: as it is called, and as it is asked for. */
type Terms = Readonly<Record<string, { readonly words: string; readonly option: string }>>;

/** The length of values, whether there is a directory, and the order, as stack.ts puts them. */
function termsIn([values = '', directory = '', ...pairs]: readonly string[]): Terms {
  const text = pairs.join(' ');
  const order = parseOrder(text);
  const name = 'problem' in order ? text : nameOf(order);
  const length = /\d+/.exec(values)?.[0] ?? '';
  return {
    values: { words: values, option: ` --value-length ${length}` },
    directory: { words: directory, option: directory === 'no directory' ? ' --nodir' : '' },
    order: { words: `the order ${name}`, option: ` --order ${quoteCommand([name])}` },
  };
}
