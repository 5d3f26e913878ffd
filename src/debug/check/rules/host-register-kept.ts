import type { CheckRule } from '../events.ts';
import { LINUX_TDCALL } from './documents.ts';
import { registerList } from './words.ts';

export const hostRegisterKept: CheckRule = {
  id: 'host-register-kept',
  severity: 'warning',
  title: 'What the host wrote to a register lives on after the helper has returned',
  source: { document: LINUX_TDCALL, section: '__tdx_hypercall: registers exposed to the VMM are cleared' },
  explanation:
    "Registers that the host could write keep its values after the call unless the helper clears or restores them. The caller may use one by mistake, and the processor may use it in instructions that are only speculated: values of the host's choice in registers are what gadgets are made of.",
  remedy:
    'Clear every exposed register with XOR, and restore the callee-saved ones, before the helper returns; give results to the caller by memory, or by RAX.',
  watch: (report) => ({
    returned({ at, kept }) {
      if (kept.length === 0) return;
      const names = kept.map(({ name }) => name);
      const { crossing } = kept[0]!.origin;
      report({
        at,
        ...(crossing === undefined ? {} : { crossing }),
        registers: names,
        message: `After the return ${registerList(names)} still ${names.length === 1 ? 'holds' : 'hold'} what the host wrote, neither looked at nor cleared.`,
      });
    },
  }),
};
