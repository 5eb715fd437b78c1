/**
 * What owners do in a story.
 *
 *   lock NODE RESOURCE[.LABEL] MODE [FLAG…] [by=PROCESS] [value=TEXT | lvb]
 *   convert NODE RESOURCE[.LABEL] MODE [FLAG…] [value=TEXT | lvb]
 *   unlock NODE RESOURCE[.LABEL] [force] [value=TEXT]
 *   cancel NODE RESOURCE[.LABEL] [deadlock]
 *   exit NODE PROCESS          a process ends, in whatever way
 *   purge NODE [on=NODE]       end the orphans here, or on another node
 *
 * A label tells several locks of one node apart. With several lockspaces a resource is
 * LOCKSPACE:RESOURCE.
 */
import { nodeId } from '../../base/ids.js';
import { Flag, deafMark, flagNamed, recoveryMark } from '../../lock/flags.js';
import { IV, modeNamed, type Mode } from '../../lock/mode.js';
import { defaultConfig } from '../../node/snapshot.js';
import { numberAt, wordAt, type Command } from './script.js';
import type { Stage, StoryLock } from './stage.js';
import type { Verbs } from './verbs.js';
import { bytesOf } from './words.js';

export const locking: Verbs = { lock, convert, unlock, cancel, exit, purge };

function lock(stage: Stage, command: Command): void {
  const node = numberAt(command, 0);
  const { name, lockspace, resource } = subjectOf(stage, command);
  if (stage.locks.has(name)) throw new SyntaxError(`'${command.text}': there is such a lock already; give it a label`);
  const owner = stage.ownerOf(node, command.settings.get('by') ?? '');
  const mode = modeAt(command);
  const made: StoryLock = { name, node, lockspace, resource, owner, lkid: null, mode: IV, wants: mode, hasToldOfWaiting: false, token: [] };
  stage.locks.set(name, made);
  const { flags, value } = wishOf(command, 3);
  stage.step(node, { kind: 'lock', lockspace, owner, name: resource, mode, flags, value, cookie: made });
}

function convert(stage: Stage, command: Command): void {
  const held = heldBy(stage, command);
  const mode = modeAt(command);
  const { flags, value } = wishOf(command, 3);
  held.wants = mode;
  held.hasToldOfWaiting = false;
  stage.step(held.node, { kind: 'convert', lockspace: held.lockspace, lkid: held.lkid!, mode, flags, value });
}

function unlock(stage: Stage, command: Command): void {
  const held = heldBy(stage, command);
  const flags = command.words.includes('force') ? Flag.FORCEUNLOCK : 0;
  const text = command.settings.get('value');
  const value = text === undefined ? null : bytesOf(text, defaultConfig.valueLength);
  stage.step(held.node, { kind: 'unlock', lockspace: held.lockspace, lkid: held.lkid!, flags: flags | (value === null ? 0 : Flag.VALBLK), value });
}

function cancel(stage: Stage, command: Command): void {
  const held = heldBy(stage, command);
  const status = command.words[2] === 'deadlock' ? 'EDEADLK' : 'ECANCEL';
  stage.step(held.node, { kind: 'cancel', lockspace: held.lockspace, lkid: held.lkid!, flags: 0, status });
}

function exit(stage: Stage, command: Command): void {
  const node = numberAt(command, 0);
  const name = command.words[1] ?? '';
  const owner = stage.ownerOf(node, name);
  for (const [key, held] of stage.locks) if (held.node === node && held.owner === owner) stage.locks.delete(key);
  stage.owners.delete(`${node} ${name}`);
  stage.step(node, { kind: 'endOwner', owner });
}

function purge(stage: Stage, command: Command): void {
  const node = numberAt(command, 0);
  for (const lockspace of stage.setting.lockspaces) {
    stage.step(node, { kind: 'purgeOrphans', lockspace, node: nodeId(Number(command.settings.get('on') ?? node)), formerOwner: null });
  }
}

/** `2 home:disk0.b` is the lock b of node 2 on disk0 in home. */
function subjectOf(stage: Stage, command: Command): { name: string; lockspace: string; resource: string } {
  const word = wordAt(command, 1);
  const [, lockspace = stage.setting.lockspaces[0]!, resource] = /^(?:([^:.]+):)?([^.]+)/.exec(word)!;
  return { name: `${numberAt(command, 0)} ${word}`, lockspace, resource: resource! };
}

function heldBy(stage: Stage, command: Command): StoryLock {
  const { name } = subjectOf(stage, command);
  const held = stage.locks.get(name);
  if (held === undefined) throw new SyntaxError(`'${command.text}': there is no such lock`);
  if (held.lkid === null) throw new SyntaxError(`'${command.text}': its call has not returned, so that it has no number yet`);
  return held;
}

function modeAt(command: Command): Mode {
  const mode = modeNamed(wordAt(command, 2));
  if (mode === null) throw new SyntaxError(`'${command.text}': there is no mode '${command.words[2]}'`);
  return mode;
}

/** What a call may say of itself that is no flag of the field's. */
const marks: Readonly<Record<string, number>> = { lvb: 0, recovery: recoveryMark, deaf: deafMark };

function wishOf(command: Command, from: number): { flags: number; value: Uint8Array | null } {
  let flags = 0;
  const text = command.settings.get('value') ?? (command.words.includes('lvb') ? '' : null);
  for (const word of command.words.slice(from)) {
    const flag = marks[word] ?? flagNamed(word);
    if (flag === null) throw new SyntaxError(`'${command.text}': there is no flag '${word}'`);
    flags |= flag;
  }
  return text === null ? { flags, value: null } : { flags: flags | Flag.VALBLK, value: bytesOf(text, defaultConfig.valueLength) };
}
