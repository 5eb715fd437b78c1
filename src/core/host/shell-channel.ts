/**
 * One process that asks through a shell's connection: the shell itself or one of
 * its subshells, with a way back of its own.
 *
 * A process asks one thing at a time. When it asks again without having heard the
 * last answer it was interrupted, and the last call is taken back first: a wait is
 * cancelled, a lock that was granted into the void is given back. So a call that
 * a person has stopped leaves nothing behind.
 */
import type { AnswerPipe } from './shell-folder.js';
import { isAlive, type ProcessId } from './process-facts.js';
import { formatAnswer, formatNote, type ShellAnswer, type ShellCall, type ShellRequest, type ShellSpeaker } from './shell-protocol.js';

export class ShellChannel {
  readonly #process: ProcessId;
  readonly #answers: AnswerPipe;
  readonly #speak: ShellSpeaker;
  #last: Call | null = null;

  constructor(process: ProcessId, answers: AnswerPipe, speak: ShellSpeaker) {
    this.#process = process;
    this.#answers = answers;
    this.#speak = speak;
  }

  get isOver(): boolean {
    return this.#answers.isClosed || !isAlive(this.#process);
  }

  hear(request: ShellRequest): void {
    const last = this.#last;
    if (request.verb === 'cancel') {
      if (last?.serial === request.serial) void last.giveUp();
      return;
    }
    const takenBack = last !== null && request.heard < last.serial ? last.giveUp() : null;
    const call = new Call(request, this.#answers);
    this.#last = call;
    if (takenBack === null) void this.#answer(call);
    else void takenBack.then(() => this.#answer(call));
  }

  /** Say that it may begin. */
  welcome(serial: number): void {
    this.#answers.write(formatAnswer(serial, { exit: 0 }));
  }

  /** Nobody listens any more. */
  end(): void {
    if (this.#last?.isPending === true) void this.#last.giveUp();
    this.#answers.close();
  }

  async #answer(call: Call): Promise<void> {
    if (call.isGivenUp) return call.settle({ exit: 0 });
    // What is settled at once needs no word in between.
    const inBetween = setImmediate(() => call.note(''));
    const answer = await this.#speak(call);
    clearImmediate(inBetween);
    call.settle(answer);
    this.#answers.write(formatAnswer(call.serial, answer));
  }
}

class Call implements ShellCall {
  readonly serial: number;
  readonly verb: string;
  readonly words: readonly string[];
  readonly asker: number;
  readonly #answers: AnswerPipe;
  #abort: AbortController | null = null;
  #answer: ShellAnswer | null = null;
  #onceSettled: () => void = () => undefined;
  #takenBack: Promise<void> | null = null;

  constructor({ serial, verb, words, asker }: ShellRequest, answers: AnswerPipe) {
    this.serial = serial;
    this.verb = verb;
    this.words = words;
    this.asker = asker;
    this.#answers = answers;
  }

  /** Made when it is asked for: most calls are over at once. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isGivenUp) this.#abort.abort();
    return this.#abort.signal;
  }

  get isPending(): boolean {
    return this.#answer === null;
  }

  get isGivenUp(): boolean {
    return this.#takenBack !== null;
  }

  note(text: string): void {
    if (this.isPending) this.#answers.write(formatNote(this.serial, text));
  }

  settle(answer: ShellAnswer): void {
    this.#answer = answer;
    this.#onceSettled();
  }

  /** Cancel it, or undo what it has done. Returns when nothing is left of it. */
  giveUp(): Promise<void> {
    this.#takenBack ??= this.#takeBack();
    return this.#takenBack;
  }

  async #takeBack(): Promise<void> {
    this.#abort?.abort();
    if (this.isPending) await new Promise<void>((resolve) => (this.#onceSettled = resolve));
    await this.#answer?.undo?.();
  }
}
