/** Holds a hypercall against the contract: our own, and one that stops in UD2 where the mechanism fails. */

import { FIFTH_REVISION, HYPERCALL, hypercallOfFifthRevision } from '../guests/index.ts';
import { checkFunction, SIGNATURES } from '../src/debug/index.ts';
import { Assembler } from '../src/isa/index.ts';
import { ourCode } from '../src/machine/index.ts';

const [structureAndFlags, byValue] = SIGNATURES;
const a = new Assembler({ origin: 0x20_0000 });
hypercallOfFifthRevision(a);
const { bytes, symbols } = a.assemble();
const older = { pieces: [{ startGpa: 0x20_0000, content: bytes }], symbols, sections: new Map<string, number>() };

const ours = checkFunction({ object: ourCode(), symbol: HYPERCALL, args: structureAndFlags!.args });
const theirs = checkFunction({ object: older, symbol: FIFTH_REVISION, args: byValue!.args });

for (const { trial, outcome } of theirs.trials) console.log(`${trial.title}: ${outcome.how}`);
console.log(`ours: ${ours.findings.length} findings`);
for (const { rule, message, symbol } of theirs.findings) console.log(`${symbol}: ${message} [${rule}]`);
