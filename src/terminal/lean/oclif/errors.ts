/**
 * In the place of @oclif/core/errors: the class by which errors of the library are
 * told from others. On a plain line there are none.
 */
export class CLIError extends Error {}
