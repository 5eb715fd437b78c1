/**
 * All that a story can say. Each file of verbs is about one thing; a new kind of story
 * brings a file of its own, and a line here.
 */
import { delivery } from './delivery.js';
import { failing } from './failing.js';
import { locking } from './locking.js';
import { looking } from './looking.js';
import { members } from './members.js';
import type { Command } from './script.js';
import type { Stage } from './stage.js';

export type Verbs = Readonly<Record<string, (stage: Stage, command: Command) => void>>;

const verbs: Verbs = { ...members, ...locking, ...failing, ...delivery, ...looking };

/** Carry out one line, and let what follows from it happen. Throws a `SyntaxError` if nobody knows how. */
export function perform(stage: Stage, command: Command): void {
  const verb = Object.hasOwn(verbs, command.verb) ? verbs[command.verb] : undefined;
  if (verb === undefined) throw new SyntaxError(`'${command.text}': nobody knows how to do that`);
  verb(stage, command);
  stage.settle();
}
