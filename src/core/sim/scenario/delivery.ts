/**
 * What a story does to messages on their way, and to time.
 *
 *   hold FROM>TO [KIND[:PHASE]…]   from now on such messages stay on their way, and all behind them; * is any node
 *   release [FROM>TO [KIND…]]      they may arrive again
 *   deliver FROM>TO [COUNT]        the first ones on that way arrive, held or not
 *   sever NODE NODE                the connection breaks, and there is another one
 *   pass MILLISECONDS              time passes
 *   settle                         nothing more; every command ends so
 */
import { isOn } from './holds.js';
import { numberAt, wordAt, type Command } from './script.js';
import type { Stage } from './stage.js';
import type { Verbs } from './verbs.js';
import { showMessage } from './words.js';

export const delivery: Verbs = { hold, release, deliver, sever, pass, settle: () => undefined };

function hold(stage: Stage, command: Command): void {
  stage.holds.add(wordAt(command, 0), command.words.slice(1));
}

function release(stage: Stage, command: Command): void {
  stage.holds.remove(command.words[0] ?? null, command.words.slice(1));
}

function deliver(stage: Stage, command: Command): void {
  const path = wordAt(command, 0);
  for (let count = command.words.length > 1 ? numberAt(command, 1) : 1; count > 0; count -= 1) {
    const letter = stage.ensemble.heads().find((head) => isOn(head, path));
    if (letter === undefined) throw new SyntaxError(`'${command.text}': nothing is under way there`);
    stage.say(`${letter.from}>${letter.to} ${showMessage(letter.message)} is let through`);
    stage.ensemble.deliver(letter);
  }
}

function sever(stage: Stage, command: Command): void {
  const { lost, again } = stage.ensemble.sever(numberAt(command, 0), numberAt(command, 1));
  stage.say(`the connection breaks: ${lost === 1 ? '1 message was' : `${lost} messages were`} lost, ${again} are sent again`);
}

function pass(stage: Stage, command: Command): void {
  stage.pass(numberAt(command, 0));
}
