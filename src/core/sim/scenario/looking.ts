/**
 * What a story looks at.
 *
 *   show RESOURCE…     the queues and the value, as the master sees them
 *   status [NODE…]     how the lockspaces of nodes stand
 *   slots              who has which slot
 *   audit              do all nodes agree on masters, on the directory and on every lock?
 *   watch [KIND…]      from now on say when such messages arrive; without kinds: no longer
 *   tokens             from now on show the tokens of grants
 *   expect TEXT        this block has printed a line with TEXT in it; fails if not, also when output is written anew
 *   never TEXT         this block has not
 */
import { disagreements } from '../agreement.js';
import type { Player } from '../ensemble.js';
import { standingOf } from './aftermath.js';
import type { Command } from './script.js';
import type { Stage } from './stage.js';
import type { Verbs } from './verbs.js';
import { showResource } from './words.js';

export const looking: Verbs = { show, status, slots, audit, watch, tokens, expect, never };

/** An `expect` that was in vain: the story does not tell what it claims to tell. */
export class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed';
}

function show(stage: Stage, command: Command): void {
  for (const word of command.words) {
    const [, lockspace = stage.setting.lockspaces[0]!, name = ''] = /^(?:([^:]+):)?(.*)$/.exec(word)!;
    let isKnown = false;
    for (const { id, node } of sorted(stage)) {
      const [resource] = node.dump(lockspace, name)?.resources ?? [];
      if (resource === undefined || resource.master !== id) continue;
      isKnown = true;
      stage.say(showResource(resource, ({ holder, holderLkid, lkid }) => nameOf(stage, lockspace, holder ?? id, holderLkid ?? lkid, word)));
    }
    if (!isKnown) stage.say(`${word}: nobody is master`);
  }
}

/** Node and label of a lock: the resource is said already. */
function nameOf(stage: Stage, lockspace: string, node: number, id: number, resource: string): string {
  const lock = stage.lockOf(node, lockspace, id as never);
  return lock === undefined ? `n${node}` : lock.name.replace(` ${resource}`, '').replace(/^/, 'n');
}

function status(stage: Stage, command: Command): void {
  const chosen = command.words.map(Number);
  for (const { id, node, views } of sorted(stage)) {
    if (chosen.length > 0 && !chosen.includes(id)) continue;
    for (const lockspace of stage.setting.lockspaces) {
      const stack = node.stack(lockspace);
      const words = [stack?.standing ?? 'not joined'];
      const waited = stack?.recovery.waitsFor() ?? [];
      if (waited.length > 0) words.push(`waits for ${waited.map((other) => `n${other}`).join(' ')}`);
      if (stack !== null && stack.parkedCalls.length > 0) words.push(`${stack.parkedCalls.length} of its calls wait`);
      if (stack !== null) words.push(...standingOf(node, stack));
      if (views.length > 0) words.push(`behind by ${views.length === 1 ? 'a view' : `${views.length} views`}`);
      stage.say(`${stage.setting.lockspaces.length > 1 ? `${lockspace}: ` : ''}n${id} ${words.join(', ')}`);
    }
  }
}

function audit(stage: Stage): void {
  const nodes = sorted(stage);
  for (const lockspace of stage.setting.lockspaces) {
    const found = disagreements(nodes, lockspace);
    for (const line of found) stage.say(`audit: ${line}`);
    if (found.length > 0) throw new ExpectationFailed(`the nodes do not agree: ${found[0]}`);
  }
  stage.say('all agree');
}

function watch(stage: Stage, command: Command): void {
  stage.watched = command.words;
}

function tokens(stage: Stage): void {
  stage.showsTokens = true;
}

function expect(stage: Stage, command: Command): void {
  const wanted = command.text.slice('expect '.length).trim();
  if (!stage.lines.some((line) => line.includes(wanted))) throw new ExpectationFailed(`line ${command.line}: nothing has printed '${wanted}'`);
}

function never(stage: Stage, command: Command): void {
  const unwanted = command.text.slice('never '.length).trim();
  const line = stage.lines.find((one) => one.includes(unwanted));
  if (line !== undefined) throw new ExpectationFailed(`line ${command.line}: this was printed: '${line}'`);
}

function slots(stage: Stage): void {
  const [lowest] = sorted(stage);
  for (const lockspace of stage.setting.lockspaces) {
    const taken = lowest?.node.stack(lockspace)?.recovery.slots ?? [];
    stage.say(`slots: ${taken.map(({ node, slot }) => `n${node} has ${slot}`).join(', ')}`);
  }
}

function sorted(stage: Stage): Player[] {
  return [...stage.ensemble.players.values()].sort((one, other) => one.id - other.id);
}
