/** What `__tdx_module_call` and `__tdx_hypercall` must do, whoever wrote them: Linux 6.1 and `guests/lib` share one ABI. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HYPERCALL, HypercallFlag, HypercallRegisters, MODULE_CALL, ModuleOutput } from '../../guests/index.ts';
import { CompletionCode, Gpr, TdgLeaf, TdvmcallLeaf, TdvmcallStatus } from '../../src/abi/index.ts';
import { type FunctionCall, type FunctionResult, runFunction, type VmmHooks } from '../../src/machine/index.ts';

type Values = Parameters<typeof HypercallRegisters.pack>[0];
export type ObjectOrSkip = { readonly object: FunctionCall['object'] } | { readonly skip: string };

const DEBUG_AND_SEPT_VE_DISABLE = 0x1000_0001n;
const SHARED_BIT = 1n << 47n;
const RFLAGS_IF = 1n << 9n;
const GARBAGE = 0xbad0_bad0_bad0_bad0n;
const CALLEE_SAVED = 'rbx rbp r12 r13 r14 r15'.split(' ');

export function hypercallOf(object: FunctionCall['object'], values: Values, flags = 0, hostHooks: VmmHooks = {}) {
  const registers = { name: 'registers', bytes: HypercallRegisters.pack(values) };
  const result = runFunction({ object, symbol: HYPERCALL, args: [registers, BigInt(flags)], hostHooks });
  return { ...result, after: HypercallRegisters.unpack(result.structures[0]!.after) };
}

export function returnedRax(result: FunctionResult): bigint {
  assert.equal(result.outcome.how, 'returned');
  return result.outcome.how === 'returned' ? result.outcome.rax : 0n;
}

/** A host that answers everything with garbage, also in registers that nobody showed to it. */
export const garbageHost: VmmHooks = {
  tdvmcall: () => GARBAGE as TdvmcallStatus,
  beforeEntry: ({ registers }) => {
    for (let register = Gpr.RDX; register <= Gpr.R15; register++) registers.u64[register] = GARBAGE;
  },
};

/** A host that writes down what is written to ports. */
function portHost(written: [port: bigint, value: bigint][]): VmmHooks {
  return {
    tdvmcall: ({ registers, leaf }, serve) => {
      if (leaf === TdvmcallLeaf.INSTRUCTION_IO) written.push([registers.u64[Gpr.R14]!, registers.u64[Gpr.R15]!]);
      return serve();
    },
  };
}

export function twoCallsCases(name: string, get: () => Promise<ObjectOrSkip>): void {
  const check = (title: string, body: (object: FunctionCall['object']) => void) =>
    test(`${name}: ${title}`, async (context) => {
      const found = await get();
      if ('skip' in found) context.skip(found.skip);
      else body(found.object);
    });
  const moduleCallOf = (object: FunctionCall['object'], leaf: number, withOutput = true) => {
    const output = { name: 'output', bytes: ModuleOutput.pack({ rcx: 0x11n, r11: 0x22n }) };
    const args = [BigInt(leaf), 0n, 0n, 0n, 0n, withOutput ? output : 0n];
    const result = runFunction({ object, symbol: MODULE_CALL, args });
    return { result, after: withOutput ? ModuleOutput.unpack(result.structures[0]!.after) : undefined };
  };

  check('the module answers VP.INFO, and the VMM does not learn of it', (object) => {
    const { result, after } = moduleCallOf(object, TdgLeaf.VP_INFO);
    assert.equal(returnedRax(result), 0n);
    assert.deepEqual(
      result.crossings.map(({ answeredBy, name }) => [answeredBy, name]),
      [['module', 'TDG.VP.INFO']],
    );
    assert.equal(after!.rcx, 48n, 'GPA width');
    assert.equal(after!.rdx, DEBUG_AND_SEPT_VE_DISABLE);
    assert.equal(after!.r8 & 0xffff_ffffn, 1n, 'vCPUs');
    assert.deepEqual(result.clobbered, []);
  });

  check('without an output structure the module call stores nothing', (object) => {
    const { result } = moduleCallOf(object, TdgLeaf.VP_INFO, false);
    assert.equal(returnedRax(result), 0n);
    assert.deepEqual(result.clobbered, []);
  });

  check('a failing module call returns the completion status, and stores the registers all the same', (object) => {
    const { result, after } = moduleCallOf(object, 0xff);
    assert.equal(returnedRax(result) >> 32n, BigInt(CompletionCode.OPERAND_INVALID));
    assert.equal(after!.rcx, 0n, 'RCX as it was at the TDCALL');
  });

  check('a port write reaches the host, and nothing is copied back unless asked for', (object) => {
    const written: [bigint, bigint][] = [];
    const values = { r11: BigInt(TdvmcallLeaf.INSTRUCTION_IO), r12: 1n, r13: 1n, r14: 0x3f8n, r15: 0x41n };
    const result = hypercallOf(object, values, 0, portHost(written));
    assert.equal(returnedRax(result), 0n);
    assert.deepEqual(written, [[0x3f8n, 0x41n]]);
    assert.deepEqual(result.after, { r10: 0n, ...values });
    const [crossing] = result.crossings;
    assert.equal(crossing?.answeredBy === 'vmm' && crossing.mask, 0xfc00);
  });

  check('a port read brings its value back', (object) => {
    const values = { r11: BigInt(TdvmcallLeaf.INSTRUCTION_IO), r12: 1n, r13: 0n, r14: 0x3fdn };
    const { after } = hypercallOf(object, values, HypercallFlag.HasOutput);
    assert.equal(after.r11, 0x60n, 'line status: transmitter empty');
  });

  check('HLT without STI comes back with interrupts off and the interrupt still pending', (object) => {
    const result = hypercallOf(object, { r11: BigInt(TdvmcallLeaf.INSTRUCTION_HLT) });
    assert.equal(returnedRax(result), 0n);
    assert.deepEqual(result.interrupts, []);
    assert.equal(result.outcome.how === 'returned' && result.outcome.rflags & RFLAGS_IF, 0n);
  });

  check('HLT with the STI flag takes the interrupt that woke it', (object) => {
    const result = hypercallOf(object, { r11: BigInt(TdvmcallLeaf.INSTRUCTION_HLT) }, HypercallFlag.IssueSti);
    assert.equal(returnedRax(result), 0n);
    assert.deepEqual(result.interrupts, [0x20]);
    assert.equal(result.outcome.how === 'returned' && result.outcome.rflags & RFLAGS_IF, RFLAGS_IF);
  });

  check('MapGPA converts a page; a misaligned one is the host service failing, not the call', (object) => {
    const map = (startGpa: bigint) =>
      returnedRax(hypercallOf(object, { r11: BigInt(TdvmcallLeaf.MAP_GPA), r12: startGpa | SHARED_BIT, r13: 4096n }));
    assert.equal(map(0x30_0000n), TdvmcallStatus.SUCCESS);
    assert.equal(map(0x30_0010n), TdvmcallStatus.ALIGN_ERROR);
  });

  check('a host that answers garbage reaches the structure and RAX, and no other register', (object) => {
    const values = { r11: BigInt(TdvmcallLeaf.GET_TD_VM_CALL_INFO) };
    const result = hypercallOf(object, values, HypercallFlag.HasOutput, garbageHost);
    assert.equal(returnedRax(result), GARBAGE);
    assert.deepEqual(new Set(Object.values(result.after)), new Set([GARBAGE]));
    assert.deepEqual(result.clobbered, []);
    const holding = Object.entries(result.registers).filter(([, value]) => value === GARBAGE);
    assert.deepEqual(
      holding.map(([register]) => register),
      ['rax'],
    );
    for (const register of ['r10', 'r11']) assert.equal(result.registers[register], 0n, `${register} is cleared`);
    assert.ok(CALLEE_SAVED.every((register) => result.registers[register] !== 0n));
  });
}
