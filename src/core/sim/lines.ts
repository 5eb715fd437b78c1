/**
 * Events and messages as lines of a trace. A resource stands between spaces, as
 * ` lockspace/name `, and a claim as `claim 7 `, so that they can be searched for.
 */
import { nameOfMode, type ModeOrNone } from '../lock/mode.js';
import { namesOfFlags, namesOfResults } from '../lock/flags.js';
import type { Message } from '../wire/message.js';
import type { SimEvent } from './event.js';

/** A message in a few words. */
export function describeMessage(message: Message): string {
  const words: string[] = [message.kind, `@${message.seq}`];
  if ('lkid' in message) words.push(`#${message.lkid}`);
  if ('masterLkid' in message) words.push(`master#${message.masterLkid}`);
  if ('name' in message) words.push(`/${message.name} `);
  if ('names' in message) words.push(message.names.map((name) => `/${name} `).join(''));
  if ('master' in message) words.push(`is n${message.master}`);
  if ('masters' in message) words.push(`are ${message.masters.join(',')}`);
  if ('mode' in message) words.push(nameOfMode(message.mode as ModeOrNone));
  if ('flags' in message) words.push(...namesOfFlags(message.flags));
  if ('standing' in message) words.push(message.standing);
  if ('phase' in message) words.push(message.phase);
  if ('sequence' in message) words.push(`token ${message.generation}.${message.mastership}.${message.sequence}`);
  if ('locks' in message) words.push(message.locks.map((lock) => `#${lock.lkid} /${lock.name} ${nameOfMode(lock.granted)}->${nameOfMode(lock.requested)}`).join('; '));
  return words.join(' ');
}

/** An event in a line; the resource and the node of a claim are the world's to tell. */
export function describeEvent(event: SimEvent, place: string): string {
  switch (event.kind) {
    case 'submitted': {
      const flags = namesOfFlags(event.flags).join('+');
      const value = event.value === null ? '' : ` value ${event.value}`;
      return `${place} claim ${event.claim} owner ${event.owner} asks ${event.operation} ${nameOfMode(event.mode)} ${flags}${value}`;
    }
    case 'refused':
      return `${place} claim ${event.claim} refused ${event.operation} ${event.code}`;
    case 'waits':
      return `${place} claim ${event.claim} waits #${event.lkid}`;
    case 'queued':
      return `${place} claim ${event.claim} is in the queue`;
    case 'completed': {
      const value = event.value === null ? '' : ` value ${event.value}`;
      const token = `${event.generation}.${event.mastership}.${event.sequence}`;
      return `${place} claim ${event.claim} ends ${event.status} ${nameOfMode(event.mode)} ${namesOfResults(event.results).join('+')}${value} token ${token} #${event.lkid}`;
    }
    case 'blocked':
      return `${place} claim ${event.claim} blocks ${nameOfMode(event.mode)}`;
    case 'adopted':
      return `${place} claim ${event.claim} adopts claim ${event.orphan} ${nameOfMode(event.mode)}`;
    case 'abandoned':
      return `${place} abandoned ${event.why}, orphans ${event.orphans.join(',')}, ended ${event.ended.join(',')}`;
    case 'leftBehind':
      return `${place} claim ${event.claim} is left behind in ${nameOfMode(event.mode)}`;
    case 'joined':
    case 'left':
      return `${place} has ${event.kind} ${event.lockspace}`;
    case 'heard':
      return `${place} hears life ${event.sender}`;
    case 'started':
    case 'crashed':
    case 'silent':
      return `${place} ${event.kind}`;
    case 'decided':
      return `view ${event.view} of lives ${event.members.join(',')} gone ${event.gone.join(',')}`;
    case 'viewed':
      return `${place} told of view ${event.view}${event.isQuorate ? '' : ', not quorate'}`;
    case 'recovered':
      return `${place} recovered ${event.lockspace} generation ${event.generation}`;
    case 'fenced':
      return `${place} fences n${event.victim} life ${event.victimLife}: ${event.state}`;
    case 'application':
      return `${place} application of ${event.lockspace} is ${event.state}`;
    case 'replay':
      return `${place} application of ${event.lockspace} puts slot ${event.slot} of n${event.victim} since ${event.since} in order: ${event.state}`;
    case 'step':
      return `${place} step ${event.step} ${event.state} ${event.lockspace} view ${event.view} by n${event.node}${event.victim === null ? '' : ` about n${event.victim}`}`;
    case 'wrote':
      return `${place} claim ${event.claim} writes with token ${event.generation}.${event.mastership}.${event.sequence}${event.isTaken ? '' : ', refused'}`;
    case 'blackout':
      return `blackout, what is kept is lost on ${event.lost.join(',')}`;
    case 'quiet':
      return event.isDrained ? 'quiet, all given back' : 'quiet';
  }
}
