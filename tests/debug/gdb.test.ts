/** gdb itself, on functions that run for real in a bare TD. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { withSharedBit } from '../../src/abi/index.ts';
import { CrossingRecorder, type DebugTarget, TdTarget } from '../../src/debug/index.ts';
import { Assembler, mem64, r } from '../../src/isa/index.ts';
import type { LinkedObject } from '../../src/loader/index.ts';
import { type FunctionArgument, prepareFunction, type Td, TdxPlatform } from '../../src/machine/index.ts';
import { LINUX_6_1, linuxTdcall } from '../exec/objects.ts';
import { MEMORY_BYTES, PROGRAM_GPA, smallTd } from '../tdx/small-td.ts';
import { powerOff } from '../tdx/small-td-calls.ts';
import { whyNoGdb, withGdb } from './gdb.ts';

const ORIGIN = 0x20_0000;
const SHARED_GPA = 0x7f_0000;

/** TDG.VP.INFO, its R8 kept; a loop with stores; then an instruction that is #VE. */
function probe(): LinkedObject {
  const a = new Assembler({ origin: ORIGIN });
  a.label('probe');
  a.mov(r.eax, 1);
  a.label('module_call');
  a.tdcall();
  a.label('after_call');
  a.mov(mem64(r.rdi), r.r8);
  a.mov(r.ecx, 3);
  a.label('loop');
  a.mov(mem64(r.rdi, 16), r.rcx);
  a.mov(mem64(r.rdi, 8), r.rcx);
  a.label('after_store');
  a.sub(r.ecx, 1);
  a.jne('loop');
  a.label('exits');
  a.hlt();
  a.ret();
  const { bytes, symbols } = a.assemble();
  return { pieces: [{ startGpa: ORIGIN, content: bytes }], symbols, sections: new Map() };
}

const words = (count: number): FunctionArgument => ({ name: 'out', bytes: new Uint8Array(8 * count) });

describe('gdb', () => {
  let skip: string | undefined;
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-gdb-'));
  before(async () => {
    skip = await whyNoGdb();
  });
  after(() => rmSync(directory, { recursive: true }));

  const object = probe();
  const at = (label: string): string => `*0x${object.symbols.get(label)!.toString(16)}`;
  const onProbe = async (context: TestContext, commands: readonly string[], targetOf?: (td: Td) => DebugTarget) => {
    if (skip !== undefined) {
      context.skip(skip);
      return undefined;
    }
    const crossings = new CrossingRecorder();
    const run = prepareFunction({ object, symbol: 'probe', args: [words(4)], observer: crossings });
    const { text, end } = await withGdb({ ...run, crossings }, commands, run.maxInstructions, targetOf?.(run.td));
    return { text, result: run.finish(end) };
  };

  test('starts at the reset vector, in 32-bit code, and steps into the shim and into long mode', async (context) => {
    const run = await onProbe(context, [
      'p/x $pc',
      'p/x $cr0',
      'monitor disassemble 0xfffffff0 1',
      'stepi',
      'p/x $pc',
      'monitor status',
      `hbreak ${at('probe')}`,
      'continue',
      'p/x $efer',
      'p/x $cs_rights',
      'monitor status',
    ]);
    if (run === undefined) return;
    const target = /0xfffffff0 {2}jmp 0x(ffff7[0-9a-f]+)\n/.exec(run.text)?.[1];
    assert.match(
      run.text,
      new RegExp(`\\$1 = 0xfffffff0\n\\$2 = 0x31\n0x0*${target} in \\?\\? \\(\\)\n\\$3 = 0x${target}\n`),
    );
    assert.match(run.text, /No host could see this/);
    assert.match(run.text, /32-bit code, CPL 0, 1 instructions/);
    assert.match(run.text, /\$4 = 0xd01\n\$5 = 0xa09b/);
    assert.match(run.text, /RIP 0x0000000000200000, 64-bit code/);
    assert.equal(run.result.outcome.how, 'exception', 'after gdb the function goes on to its end');
  });

  test('steps over TDCALL: the module has answered; steps into #VE', async (context) => {
    const run = await onProbe(context, [
      `break ${at('module_call')}`,
      'continue',
      'p/x $rax',
      'stepi',
      'p/x $pc',
      'p/x $rax',
      'p/x $rcx',
      'p/x $r8',
      `break ${at('exits')}`,
      'continue',
      'x/2gx $rdi',
      'stepi',
      'monitor ve',
      'monitor crossings',
      'p/x *(long *)$rsp',
      'p $rip == *(unsigned short *)($idtr_base + 20 * 16) + (*(unsigned short *)($idtr_base + 20 * 16 + 6) << 16)',
    ]);
    if (run === undefined) return;
    const afterCall = object.symbols.get('after_call')!.toString(16);
    assert.match(
      run.text,
      new RegExp(`\\$1 = 0x1\\n0x0*${afterCall} in .*\\n\\$2 = 0x${afterCall}\\n\\$3 = 0x0\\n\\$4 = 0x30\\n`),
    );
    assert.match(run.text, /\$5 = 0x100000001\n/, 'maximum and number of vCPUs');
    assert.match(run.text, /0x40000:\t0x0000000100000001\t0x0000000000000001/);
    assert.match(run.text, /a #VE waits for TDG.VP.VEINFO.GET:\n {2}exit reason 12 \(HLT\)/);
    assert.match(run.text, /#VE +HLT/);
    assert.match(run.text, new RegExp(`\\$6 = 0x${object.symbols.get('exits')!.toString(16)}\\n`), 'of the frame');
    assert.match(run.text, /\$7 = 1\n/, 'at the first instruction of the handler');
  });

  test('watches stop behind the access, with the value before and after', async (context) => {
    const run = await onProbe(context, [
      `break ${at('module_call')}`,
      'continue',
      'watch *(long *)0x40008',
      'continue',
      'p/x $pc',
      'continue',
      'delete',
      'rwatch *(long *)0x40018',
      'p/x $r8',
      `break ${at('exits')}`,
      'continue',
      'p/x *(long *)0x40008',
    ]);
    if (run === undefined) return;
    const afterStore = object.symbols.get('after_store')!.toString(16);
    assert.match(run.text, /Hardware watchpoint 2: \*\(long \*\)0x40008\n\nOld value = 0\nNew value = 3\n/);
    assert.match(run.text, new RegExp(`\\$1 = 0x${afterStore}\\n`));
    assert.match(run.text, /Old value = 3\nNew value = 2\n/);
    assert.match(run.text, /\$3 = 0x1\n/);
  });

  test('goes back: to the store that wrote an address, step by step, and to the beginning', async (context) => {
    const run = await onProbe(context, [
      `break ${at('exits')}`,
      'continue',
      'p/x *(long *)0x40008',
      'watch *(long *)0x40008',
      'reverse-continue',
      'p/x $pc',
      'p/x *(long *)0x40008',
      'x/i $pc',
      'stepi',
      'p/x *(long *)0x40008',
      'reverse-stepi',
      'p/x $pc',
      'reverse-stepi',
      'p/x $pc',
      'delete',
      `break ${at('module_call')}`,
      'reverse-continue',
      'p/x $pc',
      'p/x $rax',
      'delete',
      'reverse-continue',
      'p/x $pc',
      `break ${at('after_call')}`,
      'continue',
      'p/x $r8',
    ]);
    if (run === undefined) return;
    const address = (label: string, offset = 0): string => (object.symbols.get(label)! + offset).toString(16);
    assert.match(run.text, /\$1 = 0x1\n/);
    assert.match(run.text, /Hardware watchpoint 2: .*\n\nOld value = 1\nNew value = 2\n/);
    assert.match(
      run.text,
      new RegExp(`\\$2 = 0x${address('loop', 4)}\\n\\$3 = 0x2\\n=> 0x${address('loop', 4)}:\tmov +%rcx,0x8\\(%rdi\\)`),
    );
    assert.match(run.text, new RegExp(`\\$4 = 0x1\\n[\\s\\S]*\\$5 = 0x${address('loop', 4)}\\n`));
    assert.match(run.text, new RegExp(`\\$6 = 0x${address('loop')}\\n`));
    assert.match(run.text, new RegExp(`\\$7 = 0x${address('module_call')}\\n\\$8 = 0x1\\n`));
    assert.match(run.text, /No more reverse-execution history[\s\S]*\$9 = 0xfffffff0\n/);
    assert.match(run.text, /\$10 = 0x100000001\n/, 'the same answer of the module again');
    assert.equal(run.result.crossings.length, 1, 'what was lived twice happened once');
  });

  test('registers and memory can be written, of the x87 and SSE too', async (context) => {
    const run = await onProbe(context, [
      `break ${at('after_call')}`,
      'continue',
      'set $r8 = 0x1122334455667788',
      'set $xmm3.v4_int32[2] = 77',
      'set $ftag = 0xfffc',
      'set $st0 = -2.5',
      'set $mxcsr = 0x1fa0',
      'set $eflags = 0x897',
      'p $xmm3.uint128',
      'p $st0',
      'p $mxcsr',
      'p $eflags',
      'set *(long *)0x40018 = 0x55',
      'x/gx 0x40018',
      'x/gx 0x7fffffffffff0000',
      `break ${at('exits')}`,
      'continue',
    ]);
    if (run === undefined) return;
    assert.match(
      run.text,
      new RegExp(`\\$1 = ${77n << 64n}\\n\\$2 = -2.5\\n\\$3 = \\[ PE .*\\n\\$4 = \\[ CF PF AF SF OF \\]\\n`),
    );
    assert.match(run.text, /0x40018:\t0x0000000000000055/);
    assert.match(run.text, /Cannot access memory at address 0x7fffffffffff0000/);
    const after = new DataView(run.result.structures[0]!.after.buffer);
    assert.equal(after.getBigUint64(0, true), 0x1122334455667788n);
    assert.equal(after.getBigUint64(24, true), 0x55n);
  });

  test("the Secure EPT, page tables and statuses are a monitor's affair", async (context) => {
    const run = await onProbe(context, [
      `break ${at('probe')}`,
      'continue',
      'monitor sept 0x200000',
      'monitor sept 0x100000000000',
      'monitor translate 0x200123',
      'monitor decode 0xc000010000000001',
      'monitor sept here',
      'monitor',
    ]);
    if (run === undefined) return;
    assert.match(
      run.text,
      /level 3: NL_MAPPED, host page 0x[0-9a-f]+\nlevel 2: .*\nlevel 1: .*\nlevel 0: MAPPED, host page 0x/,
    );
    assert.match(run.text, /level 3: FREE\n/);
    assert.match(run.text, /0x200123 is at guest physical 0x200123\n/);
    assert.match(run.text, /TDX_OPERAND_INVALID/);
    assert.match(run.text, /Give a guest physical address/);
    assert.match(run.text, /disassemble \[ADDRESS \[COUNT\]\]/);
  });

  test('__tdx_hypercall of Linux 6.1 by its name, from the object', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    const found = await linuxTdcall(LINUX_6_1);
    if ('skip' in found) return context.skip(found.skip);
    const file = join(directory, 'tdcall.o');
    writeFileSync(file, (found.object as { bytes: Uint8Array }).bytes);
    const call = new BigUint64Array([0n, 30n, 1n, 1n, 0x3f8n, 65n]);
    const args = [{ name: 'args', bytes: new Uint8Array(call.buffer) }, 1n];
    const run = prepareFunction({ object: found.object, symbol: '__tdx_hypercall', args });
    const sections = [...run.object.sections].map(([name, address]) => `-s ${name} ${address}`);
    const { text, end } = await withGdb(run, [
      `add-symbol-file ${file} ${sections.join(' ')}`,
      'break __tdx_hypercall',
      'continue',
      'p/x $rdi',
      'x/6gx $rdi',
      'info symbol $pc',
      'finish',
      'p/x $rax',
    ]);
    assert.match(text, /Breakpoint 1, 0x[0-9a-f]+ in __tdx_hypercall \(\)\n/);
    assert.match(text, /0x40000:\t0x0+\t0x0+1e\n0x40010:\t0x0+1\t0x0+1\n0x40020:\t0x0+3f8\t0x0+41\n/);
    assert.match(text, /__tdx_hypercall in section .text/);
    assert.match(text, /\$2 = 0x0\n/);
    assert.equal(run.finish(end).outcome.how, 'returned');
  });

  test('a debug TD as its host may see it: through the module, forwards only', async (context) => {
    const commands = [
      'p/x $pc',
      `break ${at('after_call')}`,
      'continue',
      'p/x $rax',
      'p/x $r8',
      'p/x $cr0 & 0x80000001',
      'p/x $cs_rights',
      'p/x $efer',
      'p/x $mxcsr',
      'set $r8 = 0x1122334455667788',
      'x/gx 0x40008',
      'set *(int *)0x4000c = 0x55',
      'x/gx 0x40008',
      'set *(char *)0x40019 = 0x77',
      'x/gx 0x40018',
      'set $cr3 = 0',
      'watch *(long *)0x40010',
      'continue',
      'stepi',
      'p/x $rcx',
      'reverse-stepi',
      'monitor status',
      'monitor field ATTRIBUTES',
      'monitor field Guest RIP',
      'monitor field MRTD[5]',
      'monitor field MRTD[6]',
      'monitor field nothing',
      'monitor sept 0x200000',
      'monitor sept 0x100000000000',
      'monitor disassemble 0x200000 1',
      'monitor',
    ];
    const run = await onProbe(context, commands, (td) => new TdTarget(td.host));
    if (run === undefined) return;
    const { text } = run;
    assert.match(text, /\$1 = 0xfffffff0\n/);
    assert.match(text, /\$2 = 0x0\n\$3 = 0x100000001\n\$4 = 0x80000001\n\$5 = 0xa09b\n\$6 = 0xd01\n\$7 = 0x1f80\n/);
    assert.match(text, /0x40008:\t0x0000000000000000\n0x40008:\t0x0000005500000000\n0x40018:\t0x0000000000007700\n/);
    assert.match(text, /Could not write register "cr3"; remote failure reply 'E\.TDH\.VP\.WR of Guest CR3: \w+/);
    assert.match(text, /Hardware watchpoint 2: .*\n\nOld value = 0\nNew value = 3\n/);
    assert.match(text, /\$8 = 0x3\n/);
    assert.match(text, /Target remote does not support this command/);
    assert.match(text, /TD view: a debug TD[^\n]*\n.*\nvCPU 0: RIP 0x0000000000200\w+, 64-bit code, CPL 0, /);
    assert.match(
      text,
      /ATTRIBUTES 0x10000001\nGuest RIP 0x200\w+\nMRTD\[5\] 0x[0-9a-f]{12,}\nGive the name of a field/,
    );
    assert.match(text, /level 3: NL_MAPPED\nlevel 2: NL_MAPPED\nlevel 1: NL_MAPPED\nlevel 0: MAPPED, host page 0x/);
    assert.match(text, /level 3: FREE\n0x200000 {2}mov eax, 1\n/);
    assert.doesNotMatch(text, /^(crossings|ve) /m, 'what no host could see is not offered');
    const after = new DataView(run.result.structures[0]!.after.buffer);
    assert.equal(after.getBigUint64(0, true), 0x1122334455667788n, 'the guest has stored what was written');
    assert.equal(after.getBigUint64(24, true), 0x7700n);
  });

  test('a production TD refuses its host, in the words of the module; shared memory is the host’s own', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES });
    const td = platform.buildTd(smallTd(powerOff));
    td.host.sharedMemory.map(SHARED_GPA);
    td.host.sharedMemory.write(SHARED_GPA, Uint8Array.of(0xab, 0xcd));
    const shared = `0x${withSharedBit(SHARED_GPA, td.host.gpaw).toString(16)}`;
    const commands = [
      'p/x $pc',
      'p $rax',
      'set $rax = 5',
      'info registers cs',
      'x/gx 0x1000',
      'maintenance packet vCont;s:1',
      'monitor status',
      'monitor field Guest RIP',
      'monitor field ATTRIBUTES',
      'monitor translate 0x1000',
      'monitor physical 0x1000',
      `monitor physical ${shared} 2`,
      `break *0x${PROGRAM_GPA.toString(16)}`,
      'continue',
      'delete',
      'continue',
    ];
    const { text, end } = await withGdb({ platform, td }, commands, undefined, new TdTarget(td.host));
    assert.equal(end.cause, 'power-off', 'it runs as if nobody had looked');
    const refused = 'TDH.VP.RD of Guest RIP: TDX_METADATA_FIELD_NOT_READABLE';
    const told = text.split(`Could not read registers; remote failure reply 'E.${refused}'`).length - 1;
    assert.ok(told >= 3, 'each register that is asked for');
    assert.match(text, /\$1 = 0x0\n/, 'gdb must have a program counter');
    assert.match(text, /Cannot access memory at address 0x1000/);
    assert.match(text, /received: "E\.the host of a production TD can set no breakpoint and make no step"/);
    assert.match(text, new RegExp(`TD view: a production TD\\. .*\n.*\nvCPU 0: ${refused}; `));
    assert.match(text, new RegExp(`\n${refused}\nATTRIBUTES 0x10000000\nTDH\\.VP\\.RD of Guest CR0: `));
    assert.match(text, new RegExp(`TDH\\.MEM\\.RD of GPA 0x1000: TDX_TD_NON_DEBUG\n${shared} {2}ab cd\n`));
    assert.match(text, /Cannot insert breakpoint 1/);
    assert.match(text, /exited normally/);
  });

  test('vCPUs are threads; a step is of the one that is asked', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES });
    const td = platform.buildTd(
      smallTd((a) => {
        a.mov(r.ecx, 200_000); // longer than any turn
        a.label('count');
        a.sub(r.ecx, 1);
        a.jne('count');
        powerOff(a);
      }, 3),
    );
    const { text, end } = await withGdb({ platform, td }, [
      'info threads',
      `break *0x${PROGRAM_GPA.toString(16)}`,
      'continue',
      'thread 3',
      'p/x $rip != 0',
      'stepi',
      'info threads',
      'continue',
    ]);
    assert.match(text, /\* 1 +Thread 1 "vCPU 0" 0x0*fffffff0 in \?\? \(\)\n {2}2 +Thread 2 "vCPU 1"/);
    assert.match(text, /Thread 1 "vCPU 0" hit Breakpoint 1, 0x0*1000 in/);
    assert.match(text, /\* 3 +Thread 3 "vCPU 2"/);
    assert.match(text, /\[Inferior 1 \(Remote target\) exited normally\]/);
    assert.equal(end.cause, 'power-off');
  });
});
