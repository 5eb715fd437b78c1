/**
 * Write oclif.manifest.json: every command with its options, so that a command
 * starts without loading all the others. Part of the build; never edited.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settings } from '@oclif/core/settings';
import { Plugin } from '@oclif/core/config';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
settings.enableAutoTranspile = false;

const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true });
await plugin.load();
const commands = Object.fromEntries(Object.entries(plugin.manifest.commands).sort(([one], [other]) => (one < other ? -1 : 1)));
writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify({ commands, version: plugin.version }, null, 1)}\n`);
