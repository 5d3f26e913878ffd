import { hex } from '../../../bits/index.ts';
import type { CheckRule, Provenance } from '../events.ts';
import { GHCI } from './documents.ts';

const HOW: Readonly<Record<Exclude<Provenance, 'put'>, string>> = {
  callers: "its caller's value",
  hosts: 'what the host answered to the call before',
  modules: 'what the module answered to the call before',
  address: 'the address that memory was reached by',
};

export const staleRegisterExposed: CheckRule = {
  id: 'stale-register-exposed',
  severity: 'error',
  title: 'RCX exposes a register that holds nothing the guest put there for this call',
  source: { document: GHCI, section: 'TDCALL Instruction Leaf 0: TDG.VP.VMCALL' },
  explanation:
    'RCX of TDG.VP.VMCALL names the registers that the host may read and write. Each of them must hold an operand, or be cleared: what else is in it, a value of the caller, an address of the kernel, an answer of the module, is given to the host. Such a leak does not show in any test of the function, because the call works.',
  remedy: 'Load or clear every register that the mask names, directly before the TDCALL; or name fewer.',
  watch: (report) => ({
    exposed({ at, crossing, mask, registers }) {
      for (const { name, value, provenance } of registers) {
        if (provenance === 'put') continue;
        const message = `RCX ${hex(mask)} exposes ${name.toUpperCase()}, which holds ${HOW[provenance]}, ${hex(value)}.`;
        report({ at, crossing, registers: [name], message });
      }
    },
  }),
};
