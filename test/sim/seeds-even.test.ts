/**
 * Worlds of even seeds; see seeds.ts. The other half is in a file of its own, so that
 * two processors have something to do.
 */
import { test } from 'node:test';
import { runSeeds } from './seeds.js';

test('worlds of even seeds keep every property', (context) => runSeeds(context, 1));
