/**
 * The etcd engine does what every engine must do, at a real etcd.
 */
import { after } from 'node:test';
import { engineSuite } from '../engine/suite.js';
import { etcdAt } from './etcd-kind.js';
import { EtcdServers } from './etcd-servers.js';

const servers = await EtcdServers.start({ after });

engineSuite(etcdAt(servers.endpoints));
