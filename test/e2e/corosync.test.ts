/**
 * The corosync engine does what every engine must do, on four hosts with real corosync.
 */
import { after, before } from 'node:test';
import { engineSuite } from '../engine/suite.js';
import { corosyncOn, patient } from './corosync-kind.js';
import { Hosts } from './hosts.js';

const numbers = [1, 2, 3, 4711];
const hosts = new Hosts({ after }, { nodes: numbers, tokenMillis: patient.tokenMillis });

before(() => hosts.startCorosync());

engineSuite(corosyncOn(hosts));
