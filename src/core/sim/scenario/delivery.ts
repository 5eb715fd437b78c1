/**
 * What a story does to messages on their way, and to time.
 *
 *   hold FROM>TO [KIND[:PHASE]…]   from now on such messages stay on their way, and all behind them; * is any node
 *   release [FROM>TO]              they may arrive again
 *   deliver FROM>TO [COUNT]        the first ones on that way arrive, held or not
 *   sever NODE NODE                the connection breaks, and there is another one
 *   pass MILLISECONDS              time passes
 *   settle                         nothing more; every command ends so
 */
import { isOn } from './holds.js';
import { numberAt, wordAt, type Command } from './script.js';
import type { Stage } from './stage.js';
import type { Verbs } from './verbs.js';

export const delivery: Verbs = { hold, release, deliver, sever, pass, settle: () => undefined };

function hold(stage: Stage, command: Command): void {
  stage.holds.add(wordAt(command, 0), command.words.slice(1));
}

function release(stage: Stage, command: Command): void {
  stage.holds.remove(command.words[0] ?? null);
}

function deliver(stage: Stage, command: Command): void {
  const path = wordAt(command, 0);
  for (let count = command.words.length > 1 ? numberAt(command, 1) : 1; count > 0; count -= 1) {
    const letter = stage.ensemble.heads().find((head) => isOn(head, path));
    if (letter === undefined) throw new SyntaxError(`'${command.text}': nothing is under way there`);
    stage.deliver(letter, true);
  }
}

function sever(stage: Stage, command: Command): void {
  const one = numberAt(command, 0);
  const other = numberAt(command, 1);
  const before = stage.ensemble.repeatedAt(one) + stage.ensemble.repeatedAt(other);
  const { lost, again } = stage.ensemble.sever(one, other);
  stage.say(`${one} and ${other} are reconnected: ${lost} messages were lost, ${again} are sent again`);
  stage.settle();
  const repeated = stage.ensemble.repeatedAt(one) + stage.ensemble.repeatedAt(other) - before;
  if (repeated > 0) stage.say(`${repeated} messages had arrived before and are dropped`);
}

function pass(stage: Stage, command: Command): void {
  stage.pass(numberAt(command, 0));
}
