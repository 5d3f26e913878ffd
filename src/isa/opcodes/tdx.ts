import type { Row } from './row.ts';

/** VMX, TDX, SGX and SMX: the instructions between worlds. */
export const tdx: readonly Row[] = [
  ['66 0F 38 80 /r', 'INVEPT rv, m128', 'f64 VMX'],
  ['66 0F 38 81 /r', 'INVVPID rv, m128', 'f64 VMX'],
  ['NP 0F 01 C1', 'VMCALL', 'VMX'],
  ['66 0F C7 /6', 'VMCLEAR m64', 'VMX'],
  ['NP 0F 01 D4', 'VMFUNC', 'VMX'],
  ['NP 0F 01 C2', 'VMLAUNCH', 'VMX'],
  ['NP 0F C7 /6', 'VMPTRLD m64', 'VMX'],
  ['NP 0F C7 /7', 'VMPTRST m64', 'VMX'],
  ['NP 0F 78 /r', 'VMREAD r/mv, rv', 'f64 o64 VMX'],
  ['NP 0F 78 /r', 'VMREAD r/m32, r32', 'i64 VMX'],
  ['NP 0F 01 C3', 'VMRESUME', 'VMX'],
  ['NP 0F 79 /r', 'VMWRITE rv, r/mv', 'f64 o64 VMX'],
  ['NP 0F 79 /r', 'VMWRITE r32, r/m32', 'i64 VMX'],
  ['NP 0F 01 C4', 'VMXOFF', 'VMX'],
  ['F3 0F C7 /6', 'VMXON m64', 'VMX'],
  ['NP 0F 01 CF', 'ENCLS', 'SGX'],
  ['NP 0F 01 D7', 'ENCLU', 'SGX'],
  ['NP 0F 01 C0', 'ENCLV', 'SGX'],
  ['NP 0F 37', 'GETSEC', 'SMX'],
  ['66 0F 01 CC', 'TDCALL', 'TDX'],
  ['66 0F 01 CF', 'SEAMCALL', 'only64 TDX'],
  ['66 0F 01 CE', 'SEAMOPS', 'only64 TDX'],
  ['66 0F 01 CD', 'SEAMRET', 'only64 TDX'],
];
