import { elementwiseCases } from './op-table/elementwise.js';
import { linearAlgebraCases } from './op-table/linear-algebra.js';
import { structureCases } from './op-table/structure.js';
import { windowCases } from './op-table/windows.js';

/** Every operation that can be traced, with shapes, attributes and edge values: one table for all targets. */
export const opTable = [...elementwiseCases, ...structureCases, ...linearAlgebraCases, ...windowCases];
