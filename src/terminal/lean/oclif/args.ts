/**
 * In the place of @oclif/core/args: what the commands define their arguments with.
 */
export { string } from './flags.js';
