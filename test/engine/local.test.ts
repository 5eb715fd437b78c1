/**
 * The local engine does what every engine must do.
 */
import { engineSuite } from './suite.js';
import { local } from './local-kind.js';

engineSuite(local);
