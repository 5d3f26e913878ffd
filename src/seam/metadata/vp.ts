/** vCPU-scope metadata that a host may ask for. Source: TDX Module 1.5 ABI Definition, "VCPU-Scope Metadata". */
import { Gpr, MetadataField, type RegisterFile } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import { hasDeliverableInterrupt } from '../posted-interrupts.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { fieldKey, fieldKeyOfHalves } from './field-id.ts';

export interface VpFieldRow {
  readonly id: bigint;
  readonly name: string;
  /** may the host read it although the TD is not debuggable */
  readonly hostReadable: boolean;
  /** Puts the value into R8. */
  readonly read: (vcpu: Vcpu, registers: RegisterFile) => void;
  /** What the host may write. */
  readonly write?: (vcpu: Vcpu, value: bigint) => void;
}

/** Class of the guest's general registers; the code is the register number. */
const GUEST_GPR = 0x1020_0003_0000_0000n;
/** Class of the VMCS; the code is the VMCS field encoding. */
const VMCS_GUEST_RIP = 0x0020_0003_0000_681en;
const VMCS_GUEST_CR3 = 0x0020_0003_0000_6802n;

const stateRow = (id: bigint, name: string, offset: number): VpFieldRow => ({
  id,
  name,
  hostReadable: false,
  read: ({ cpu }, registers) => registers.set(Gpr.R8, cpu.state.low(offset), cpu.state.high(offset)),
});

export const VP_FIELDS: readonly VpFieldRow[] = [
  {
    id: MetadataField.PEND_NMI,
    name: 'PEND_NMI',
    hostReadable: true,
    read: (vcpu, registers) => registers.set(Gpr.R8, vcpu.pendingNmi ? 1 : 0, 0),
    write: (vcpu, value) => {
      vcpu.pendingNmi = (value & 1n) !== 0n;
    },
  },
  {
    id: MetadataField.VCPU_STATE_DETAILS,
    name: 'VCPU_STATE_DETAILS',
    hostReadable: true,
    read: (vcpu, registers) => registers.set(Gpr.R8, hasDeliverableInterrupt(vcpu) ? 1 : 0, 0),
  },
  stateRow(VMCS_GUEST_RIP, 'GUEST_RIP', S.rip),
  stateRow(VMCS_GUEST_CR3, 'GUEST_CR3', S.cr3),
  ...Array.from({ length: 16 }, (_, register) =>
    stateRow(GUEST_GPR + BigInt(register), `GPR ${register}`, S.gpr + register * 8),
  ),
];

const BY_KEY: ReadonlyMap<number, VpFieldRow> = new Map(VP_FIELDS.map((row) => [fieldKey(row.id), row]));

/** The field an id (in halves) names; undefined: no such field. */
export function findVpField(low: number, high: number): VpFieldRow | undefined {
  return BY_KEY.get(fieldKeyOfHalves(low, high));
}
