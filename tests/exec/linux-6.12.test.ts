/** The three wrappers of Linux 6.12, unmodified: one structure for every call, in and out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Expose } from '../../guests/index.ts';
import { CompletionCode, Gpr, TdgLeaf, TdvmcallLeaf, TdvmcallStatus } from '../../src/abi/index.ts';
import { type FunctionCall, runFunction, type VmmHooks } from '../../src/machine/index.ts';
import { LINUX_6_12, linuxTdcall, TdxModuleArgs } from './objects.ts';
import { garbageHost, returnedRax } from './two-calls-cases.ts';

type Values = Parameters<typeof TdxModuleArgs.pack>[0];
type Wrapper = '__tdcall' | '__tdcall_ret' | '__tdcall_saved_ret';

/** Everything but RAX, RCX, RSP and RBP */
const MASK = BigInt(Object.values(Expose).reduce((mask, bit) => mask | bit, 0));
const SHARED_BIT = 1n << 47n;

function check(title: string, body: (call: ReturnType<typeof caller>) => void): void {
  test(`tdcall.S of Linux 6.12: ${title}`, async (context) => {
    const found = await linuxTdcall(LINUX_6_12);
    if ('skip' in found) context.skip(found.skip);
    else body(caller(found.object));
  });
}

function caller(object: FunctionCall['object']) {
  return (symbol: Wrapper, leaf: number, values: Values = {}, hostHooks: VmmHooks = {}) => {
    const args = { name: 'args', bytes: TdxModuleArgs.pack(values) };
    const result = runFunction({ object, symbol, args: [BigInt(leaf), args], hostHooks });
    return { ...result, before: values, after: TdxModuleArgs.unpack(result.structures[0]!.after) };
  };
}

function hypercall(call: ReturnType<typeof caller>, values: Values, hostHooks?: VmmHooks) {
  return call('__tdcall_saved_ret', TdgLeaf.VP_VMCALL, { rcx: MASK, ...values }, hostHooks);
}

check('__tdcall_ret brings VP.INFO, __tdcall keeps the structure as it is', (call) => {
  const info = call('__tdcall_ret', TdgLeaf.VP_INFO);
  assert.equal(returnedRax(info), 0n);
  assert.equal(info.after.rcx, 48n);
  assert.equal(info.after.r8 & 0xffff_ffffn, 1n);
  const silent = call('__tdcall', TdgLeaf.VP_INFO, { rcx: 7n });
  assert.equal(returnedRax(silent), 0n);
  assert.equal(silent.after.rcx, 7n);
  assert.deepEqual([...info.clobbered, ...silent.clobbered], []);
});

check('a port write reaches the host', (call) => {
  const written: bigint[] = [];
  const hooks: VmmHooks = {
    tdvmcall: ({ registers }, serve) => {
      written.push(registers.u64[Gpr.R15]!);
      return serve();
    },
  };
  const io = { r11: BigInt(TdvmcallLeaf.INSTRUCTION_IO), r12: 1n, r13: 1n, r14: 0x3f8n, r15: 0x42n };
  const result = hypercall(call, io, hooks);
  assert.equal(returnedRax(result), 0n);
  assert.deepEqual(written, [0x42n]);
  assert.equal(result.after.r10, TdvmcallStatus.SUCCESS);
  assert.equal(result.after.rcx, MASK, 'RCX comes back as the mask');
});

check('HLT comes back once an interrupt is pending', (call) => {
  const result = hypercall(call, { r11: BigInt(TdvmcallLeaf.INSTRUCTION_HLT) });
  assert.equal(returnedRax(result), 0n);
  assert.deepEqual(result.interrupts, [], 'RFLAGS.IF is 0');
});

check('MapGPA converts a page', (call) => {
  const map = { r11: BigInt(TdvmcallLeaf.MAP_GPA), r12: 0x30_0000n | SHARED_BIT, r13: 4096n };
  assert.equal(hypercall(call, map).after.r10, TdvmcallStatus.SUCCESS);
});

check('garbage of the host stays in the structure', (call) => {
  const result = hypercall(call, { r11: BigInt(TdvmcallLeaf.GET_TD_VM_CALL_INFO) }, garbageHost);
  assert.equal(returnedRax(result), 0n, 'the mechanism worked');
  const { rcx, ...others } = result.after;
  assert.equal(rcx, MASK);
  assert.equal(new Set(Object.values(others)).size, 1);
  assert.notEqual(others.r10, 0n);
  assert.deepEqual(result.clobbered, []);
  assert.ok(!Object.values(result.registers).includes(others.r10), 'no register keeps it');
});

check('a mask that the module refuses is the caller’s to see, and no host learns of it', (call) => {
  const result = call('__tdcall_saved_ret', TdgLeaf.VP_VMCALL, { rcx: MASK | 1n });
  assert.equal(returnedRax(result), (BigInt(CompletionCode.OPERAND_INVALID) << 32n) | BigInt(Gpr.RCX));
  assert.deepEqual(
    result.crossings.map(({ answeredBy }) => answeredBy),
    ['module'],
  );
});
