/**
 * What becomes of a failure in a story: agents and applications answer here, and nodes
 * fail in other ways than by dying.
 *
 *   zombie NODE…               it is cut off: it hears nothing, is not heard, and may still write
 *   cut NODE                   it has heard nothing of the engine for too long, and stops by itself
 *   flap COUNT                 the engine decides COUNT times that there is no quorum, and that there is
 *   fence VICTIM done|failed [by=NODE] [late]   the agent that is to fence it ends; late: one that is wanted no more
 *   ack NODE VICTIM            an operator says there that the victim is off
 *   suspended NODE… [failed]   its application has suspended
 *   recovered NODE [SLOT] done|failed   it has put in order what it was asked to
 *   application NODE dies      and its node leaves the lockspace as failed
 */
import { nodeId } from '../../base/ids.js';
import { numberAt, wordAt, type Command } from './script.js';
import type { Stage } from './stage.js';
import type { Verbs } from './verbs.js';

export const failing: Verbs = { zombie, cut, flap, fence, ack, suspended, recovered, application };

function zombie(stage: Stage, command: Command): void {
  for (const [place] of command.words.entries()) {
    const id = numberAt(command, place);
    stage.crash(id);
    stage.aftermath.zombies.add(id);
  }
}

function cut(stage: Stage, command: Command): void {
  stage.step(numberAt(command, 0), { kind: 'engineDeadline' });
}

/** Some messages arrive each time, and not all. What happens is summed up: it is the same each time. */
function flap(stage: Stage, command: Command): void {
  const before = stage.lines.length;
  for (let count = numberAt(command, 0); count > 0; count -= 1) {
    for (const isQuorate of [false, true]) {
      stage.ensemble.decide(isQuorate);
      for (const id of stage.ensemble.players.keys()) stage.tell(id);
      stage.deliverSome(3);
    }
  }
  const lines = stage.lines.splice(before);
  const abandoned = lines.filter((line) => line.includes(' abandons the recovery ')).length;
  const through = lines.filter((line) => /recovery of view \d+ (done|passes)/.test(line)).length;
  stage.say(`view ${stage.ensemble.viewCount}: recoveries were abandoned ${abandoned} times, and came through ${through} times`);
}

function fence(stage: Stage, command: Command): void {
  const victim = numberAt(command, 0);
  const by = command.settings.get('by');
  const isLate = command.words.includes('late');
  const { agents } = stage.aftermath;
  const agent = agents.find((one) => one.victim === victim && one.isWanted !== isLate && (by === undefined || one.node === Number(by)));
  if (agent === undefined) throw new SyntaxError(`'${command.text}': no such agent is running`);
  agents.splice(agents.indexOf(agent), 1);
  const isFenced = resultOf(command, 1);
  if (isFenced) stage.aftermath.zombies.delete(victim);
  const { node, incarnation } = agent;
  stage.step(node, { kind: 'fenceResult', victim: nodeId(victim), incarnation, isFenced, words: isFenced ? 'off' : 'exit 1' });
}

function ack(stage: Stage, command: Command): void {
  stage.step(numberAt(command, 0), { kind: 'fenceAck', victim: nodeId(numberAt(command, 1)), words: 'an operator says so' });
}

function suspended(stage: Stage, command: Command): void {
  const isDone = !command.words.includes('failed');
  for (const word of command.words) {
    if (word === 'failed') continue;
    for (const lockspace of stage.setting.lockspaces) stage.step(Number(word), { kind: 'suspended', lockspace, isDone });
  }
}

function recovered(stage: Stage, command: Command): void {
  const id = numberAt(command, 0);
  const [slot] = command.words.length > 2 ? [numberAt(command, 1)] : [];
  const { works } = stage.aftermath;
  const work = works.find((one) => one.node === id && (slot === undefined || one.slot === slot));
  if (work === undefined) throw new SyntaxError(`'${command.text}': it was not asked to`);
  works.splice(works.indexOf(work), 1);
  const { lockspace, since } = work;
  stage.step(id, { kind: 'slotRecovered', lockspace, slot: work.slot, since, isDone: resultOf(command, command.words.length - 1) });
}

function application(stage: Stage, command: Command): void {
  const id = numberAt(command, 0);
  if (command.words[1] !== 'dies') throw new SyntaxError(`'${command.text}': an application can only die`);
  for (const lockspace of stage.setting.lockspaces) stage.leave(id, lockspace, true);
}

function resultOf(command: Command, place: number): boolean {
  const word = wordAt(command, place);
  if (word !== 'done' && word !== 'failed') throw new SyntaxError(`'${command.text}': it is done or failed`);
  return word === 'done';
}
