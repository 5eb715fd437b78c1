/**
 * The corosync engine does what every engine must do, on four hosts with real corosync.
 */
import { after, before } from 'node:test';
import { engineSuite } from '../engine/suite.js';
import { corosyncOn } from './corosync-kind.js';
import { Hosts } from './hosts.js';

const numbers = [1, 2, 3, 4711];
let hosts: Hosts;

before(async () => {
  hosts = new Hosts({ after }, { nodes: numbers });
  await hosts.startCorosync();
});

engineSuite(corosyncOn(() => hosts, numbers));
