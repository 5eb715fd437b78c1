/**
 * What the operating system refused, in words.
 */
import { DlmError } from '../base/errors.js';

const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'it does not exist',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'no file may be that long',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the device reports an error',
  ELOOP: 'it is a symbolic link',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
};

/** The error's code, such as ENOENT; empty if it is not the system's. */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}

export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const known = words[code];
  if (known !== undefined) return `${known} (${code})`;
  return error instanceof Error ? error.message : String(error);
}

const fullCodes = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** A file or folder that the node needs cannot be used: a full disk wants room, anything else a look at whose it is. */
export function unusable(what: string, error: unknown): DlmError {
  const remedy = fullCodes.includes(codeOf(error)) ? 'make room' : 'see who owns it';
  return new DlmError('DLM_STATE_UNUSABLE', `${what}: ${reasonOf(error)}`, `${remedy}, or name another folder with DLM_DIR`);
}
