/** Helpers that break one rule each, and their twins that keep it. */
import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem, mem64, r } from '../../src/isa/index.ts';
import { mapShared, SHARED_ALIAS, SHARED_BIT } from '../cases/parts.ts';
import { Expose, HYPERCALL_EXPOSED } from '../lib/registers.ts';
import type { ContractHelper } from './contract-guest.ts';
import { FINISH, type HelperParts, USUAL } from './helper.ts';

const SERIAL_PORT = 0x3f8;
/** R10 to R15: a byte for the serial port */
const WRITE: readonly bigint[] = [0, TdvmcallLeaf.INSTRUCTION_IO, 1, 1, SERIAL_PORT, 0x41].map(BigInt);
/** ... what the host can do: its answer is in R11 */
const ASK: readonly bigint[] = [0, TdvmcallLeaf.GET_TD_VM_CALL_INFO, 0, 0, 0, 0].map(BigInt);
const SHARED_GPA = 0x18_0000;
const SHARE: readonly bigint[] = [0n, BigInt(TdvmcallLeaf.MAP_GPA), BigInt(SHARED_GPA) | SHARED_BIT, 0x1000n, 0n, 0n];

const WORDS = 6;
const KEEPS: Partial<HelperParts> = {};

/** Reads a number below WORDS from shared memory, and then the word with that number of the structure. */
function indexFromSharedMemory(readsAgain: boolean): Partial<HelperParts> {
  return {
    begin: (a) => {
      a.push(r.rdi);
      mapShared(a);
      a.pop(r.rdi);
    },
    useResults: (a) => {
      a.test(r.r10, r.r10);
      a.jnz(FINISH);
      a.mov(r.r8d, SHARED_ALIAS + SHARED_GPA);
      a.mov(r.r9, mem(r.r8));
      a.cmp(r.r9, WORDS);
      a.jae(FINISH);
      if (readsAgain) a.mov(r.r9, mem(r.r8));
      a.mov(r.r9, mem(r.rdi, 0, { index: r.r9, scale: 8 }));
    },
  };
}

function clearWithR9(a: Assembler): void {
  USUAL.clear(a);
  a.xor(r.r9d, r.r9d);
}

const indexByResult = (a: Assembler): void => a.mov(r.r11, mem(r.rdi, 0, { index: r.r11, scale: 8 }));

export const CONTRACT_HELPERS: readonly ContractHelper[] = [
  {
    rule: 'stale-register-exposed',
    words: WRITE,
    breaks: { mask: HYPERCALL_EXPOSED | Expose.R9, clear: clearWithR9 },
    keeps: { begin: (a) => a.xor(r.r9d, r.r9d), mask: HYPERCALL_EXPOSED | Expose.R9, clear: clearWithR9 },
  },
  {
    rule: 'host-register-used',
    words: WRITE,
    breaks: { useResults: (a) => a.mov(r.r8, mem(r.r14)) },
    keeps: {
      useResults: (a) => {
        a.mov(r.r14, mem64(r.rdi, 32));
        a.mov(r.r8, mem(r.r14));
      },
    },
  },
  { rule: 'host-register-kept', words: ASK, breaks: { clear: (a) => a.xor(r.r10d, r.r10d) }, keeps: KEEPS },
  { rule: 'mechanism-status-ignored', words: WRITE, breaks: { lookAtMechanism: () => {} }, keeps: KEEPS },
  {
    rule: 'mechanism-failure-swallowed',
    words: WRITE,
    breaks: {
      fail: (a) => {
        a.xor(r.eax, r.eax);
        a.jmp(FINISH);
      },
    },
    keeps: { fail: (a) => a.jmp(FINISH) },
  },
  { rule: 'bare-trap', words: WRITE, breaks: { fail: (a) => a.ud2() }, keeps: KEEPS },
  {
    rule: 'service-status-ignored',
    words: WRITE,
    breaks: { lookAtService: (a) => a.xor(r.eax, r.eax) },
    keeps: {
      lookAtService: (a) => {
        a.xor(r.eax, r.eax);
        a.test(r.r10, r.r10);
        a.setcc(5, r.al);
      },
    },
  },
  { rule: 'callee-saved-clobbered', words: WRITE, breaks: { restore: (a) => a.add(r.rsp, 32) }, keeps: KEEPS },
  {
    rule: 'stack-unbalanced',
    words: WRITE,
    breaks: {
      restore: (a) => {
        for (const register of [r.r15, r.r14, r.r13, r.r12]) a.pop(register);
        a.push(mem64(r.rsp)); // the return address, once more
      },
    },
    keeps: KEEPS,
  },
  { rule: 'flags-not-restored', words: WRITE, breaks: { useResults: (a) => a.bytes(0xfd) }, keeps: KEEPS },
  {
    rule: 'unbounded-result',
    words: ASK,
    breaks: { useResults: indexByResult },
    keeps: {
      useResults: (a) => {
        a.cmp(r.r11, WORDS);
        a.jae(FINISH);
        indexByResult(a);
      },
    },
  },
  { rule: 'double-fetch', words: SHARE, breaks: indexFromSharedMemory(true), keeps: indexFromSharedMemory(false) },
];
