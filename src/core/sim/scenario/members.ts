/**
 * Who is in the cluster of a story, and who knows it.
 *
 *   cluster COUNT [nodir] [law=kernel] [lockspaces=A,B] [weights=0,1] [RESOURCE@NODE…]
 *                              nodes 1 to COUNT, all joined; RESOURCE@NODE chooses a directory node
 *           [order=gfs | a<b+c<d] [fencing=on|off] [delays=0,500] [grace=MS] [retry=MS] [startup=1,2] [app | app=1,2] [suspend=MS]
 *                              what follows failures; which nodes have an application
 *   crash NODE…                the process is gone; nobody is told
 *   start NODE… [joins=no]     a new life, which joins; it is in no view yet
 *   restart NODE…              gone, and back before anybody has noticed
 *   join NODE [LOCKSPACE]      it says that it joins; the next view has it
 *   leave NODE [LOCKSPACE]     by force, if it holds locks
 *   view [to NODE…] [quorate=no] [only=1,2] [left=3]   the engine decides on a view, and tells all members, or only these;
 *                              of a part of the cluster; who has left in good order
 *   tell NODE… | all           the next view that the node has not heard of; all: everybody, all of them
 */
import { kernelLaw, defaultLaw } from '../../lock/law.js';
import { numberAt, type Command } from './script.js';
import { asNode, type Setting, type Stage } from './stage.js';
import type { Verbs } from './verbs.js';

export const members: Verbs = { cluster, crash, start, restart, join, leave, view, tell };

function cluster(stage: Stage, command: Command): void {
  if (stage.ensemble.players.size > 0) throw new SyntaxError('a story has one cluster');
  const { settings, words } = command;
  const places = words.filter((word) => word.includes('@')).map((word) => word.split('@'));
  stage.setting = {
    ...stage.setting,
    ...afterFailures(settings, words),
    lockspaces: settings.get('lockspaces')?.split(',') ?? ['story'],
    nodir: words.includes('nodir'),
    law: settings.get('law') === 'kernel' ? kernelLaw : defaultLaw,
    directory: new Map(places.map(([name, node]) => [name!, asNode(Number(node))])),
  };
  const weights = settings.get('weights')?.split(',').map(Number) ?? [];
  for (let id = 1; id <= numberAt(command, 0); id += 1) begin(stage, id, true, weights[id - 1] ?? 0);
  decide(stage, true, [...stage.ensemble.players.keys()]);
}

/** What follows failures in this cluster, and what there is to do it. */
function afterFailures(settings: ReadonlyMap<string, string>, words: readonly string[]): Partial<Setting> {
  const numbers = (key: string): number[] => settings.get(key)?.split(',').map(Number) ?? [];
  const order = settings.get('order')?.replaceAll('+', ' ') ?? 'none';
  const isOn = settings.has('fencing') ? settings.get('fencing') === 'on' : order !== 'none';
  const [postJoinMillis = 0] = numbers('grace');
  const [retryMillis = 1000] = numbers('retry');
  const [suspendMillis = 1000] = numbers('suspend');
  const fencing = { isOn, delayMillis: 0, postJoinMillis, retryMillis, startup: numbers('startup').map(asNode) };
  return { order, fencing, delays: numbers('delays'), suspendMillis, applications: words.includes('app') ? null : numbers('app') };
}

function begin(stage: Stage, id: number, joins: boolean, weight = 0): void {
  if (stage.ensemble.players.has(id)) throw new SyntaxError(`node ${id} runs already`);
  stage.start(id, weight);
  if (joins) for (const lockspace of stage.setting.lockspaces) stage.join(id, lockspace);
}

function decide(stage: Stage, isQuorate: boolean, told: readonly number[], part: Parameters<Stage['ensemble']['decide']>[1] = {}): void {
  const { id, members: all, leftCleanly } = stage.ensemble.decide(isQuorate, part);
  const left = leftCleanly.length === 0 ? '' : `, ${leftCleanly.join(' ')} left`;
  stage.say(`view ${id}: ${all.map(({ node }) => node).join(' ')}${left}${isQuorate ? '' : ', not quorate'}`);
  for (const node of told) stage.tell(node);
}

function crash(stage: Stage, command: Command): void {
  for (const id of nodesIn(command.words)) stage.crash(id);
}

function start(stage: Stage, command: Command): void {
  for (const id of nodesIn(command.words)) begin(stage, id, command.settings.get('joins') !== 'no');
}

function restart(stage: Stage, command: Command): void {
  crash(stage, command);
  start(stage, command);
}

function join(stage: Stage, command: Command): void {
  for (const lockspace of lockspacesIn(stage, command)) stage.join(numberAt(command, 0), lockspace);
}

function leave(stage: Stage, command: Command): void {
  const id = numberAt(command, 0);
  for (const lockspace of lockspacesIn(stage, command)) stage.leave(id, lockspace, false);
}

function view(stage: Stage, command: Command): void {
  const [to, ...nodes] = command.words;
  const { settings } = command;
  const only = nodesIn(settings.get('only')?.split(',') ?? [...stage.ensemble.players.keys()]);
  const leftCleanly = nodesIn(settings.get('left')?.split(',') ?? []).map(asNode);
  for (const id of leftCleanly) if (stage.ensemble.players.has(id)) stage.crash(id);
  const told = to === 'to' ? nodesIn(nodes) : only.filter((id) => stage.ensemble.players.has(id)).sort((one, other) => one - other);
  decide(stage, settings.get('quorate') !== 'no', told, { leftCleanly, only });
}

function tell(stage: Stage, command: Command): void {
  if (command.words[0] !== 'all') for (const id of nodesIn(command.words)) stage.tell(id);
  else for (const { id, views } of stage.ensemble.players.values()) while (views.length > 0) stage.tell(id);
}

function nodesIn(words: readonly (string | number)[]): number[] {
  return words.map((word) => {
    const id = Number(word);
    if (!Number.isInteger(id) || id < 1) throw new SyntaxError(`'${word}' is not the number of a node`);
    return id;
  });
}

function lockspacesIn(stage: Stage, { words }: Command): readonly string[] {
  return words[1] === undefined ? stage.setting.lockspaces : [words[1]];
}
