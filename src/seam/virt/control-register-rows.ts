/**
 * CR0, CR4 and XCR0 of a TD, a row a bit: what the module owns, and what becomes of a write that asks for more.
 * Source: TDX Module 1.5 Base Architecture, "CR Handling"; module 1.5.01 source, td_vmcs_init.c, write_guest_cr0 and write_guest_cr4 in helpers.c.
 */
import { TdAttribute, type TdParams, Xfam } from '../../abi/index.ts';
import { Cr0Bit, Cr4Bit } from '../../isa/index.ts';

/** What CPUID says: to the TD, and of the processor. */
interface AnnouncedFeatures {
  shows(feature: string): boolean;
  hasNatively(feature: string): boolean;
}

export interface ControlBitRow {
  readonly register: 'CR0' | 'CR4';
  readonly name: string;
  readonly bit: number;
  /** the module owns it, and the guest reads this value; absent: it is the guest's */
  readonly reads?: 0 | 1;
  /** what an attempt to change an owned bit, or to set one that is not there, gives */
  readonly violation: '#VE' | '#GP';
  /** is a bit that is the guest's there for this TD? */
  readonly present?: (cpuid: AnnouncedFeatures, params: TdParams) => boolean;
  readonly source: string;
}

const SOURCE = 'TDX Module 1.5 Base Architecture, "CR Handling"; SDM vol. 3, "Control Registers"';

const owned = (
  register: 'CR0' | 'CR4',
  name: string,
  bit: number,
  reads: 0 | 1,
  violation: '#VE' | '#GP',
): ControlBitRow => ({
  register,
  name,
  bit,
  reads,
  violation,
  source: SOURCE,
});

const cr4 = (name: keyof typeof Cr4Bit, present: NonNullable<ControlBitRow['present']>): ControlBitRow => ({
  register: 'CR4',
  name,
  bit: Cr4Bit[name],
  violation: '#GP',
  present,
  source: SOURCE,
});

/** Announced by a CPUID bit. */
const shown =
  (feature: string): NonNullable<ControlBitRow['present']> =>
  (cpuid) =>
    cpuid.shows(feature);
const never = (): boolean => false;
const hasXfam = ({ xfam }: TdParams, bits: bigint): boolean => (xfam & bits) === bits;

/** Clearing PE is #GP(0) with PG = 1, else #VE. The reserved bits of CR0 are ignored, as on a processor. */
export const CONTROL_BIT_ROWS: readonly ControlBitRow[] = [
  owned('CR0', 'PE', Cr0Bit.PE, 1, '#VE'),
  owned('CR0', 'NE', Cr0Bit.NE, 1, '#GP'),
  owned('CR0', 'NW', Cr0Bit.NW, 0, '#VE'),
  owned('CR0', 'CD', Cr0Bit.CD, 0, '#VE'),
  owned('CR4', 'MCE', Cr4Bit.MCE, 1, '#VE'),
  owned('CR4', 'VMXE', Cr4Bit.VMXE, 0, '#VE'),
  owned('CR4', 'SMXE', Cr4Bit.SMXE, 0, '#VE'),
  cr4('VME', shown('VME')),
  cr4('PVI', shown('VME')),
  cr4('TSD', shown('TSC')),
  cr4('DE', shown('DE')),
  cr4('PSE', shown('PSE')),
  cr4('PAE', shown('PAE')),
  cr4('PGE', shown('PGE')),
  cr4('PCE', () => true),
  cr4('OSFXSR', shown('FXSR')),
  cr4('OSXMMEXCPT', shown('SSE')),
  cr4('UMIP', shown('UMIP')),
  cr4('LA57', shown('LA57')),
  cr4('FSGSBASE', shown('FSGSBASE')),
  cr4('PCIDE', shown('PCID')),
  cr4('OSXSAVE', shown('XSAVE')),
  cr4('SMEP', shown('SMEP')),
  cr4('SMAP', shown('SMAP')),
  cr4('KL', never),
  cr4('PKE', (cpuid, params) => cpuid.shows('PKU') && hasXfam(params, Xfam.PKRU)),
  cr4('CET', (cpuid, params) => cpuid.shows('CET_SS') && hasXfam(params, Xfam.CET)),
  cr4('PKS', (cpuid, { attributes }) => cpuid.hasNatively('PKS') && (attributes & TdAttribute.PKS) !== 0n),
  cr4('UINTR', (cpuid, params) => cpuid.shows('UINTR') && hasXfam(params, Xfam.UINTR)),
];

const maskOf = (rows: readonly ControlBitRow[]): number => rows.reduce((mask, { bit }) => mask | (1 << bit), 0);

/** Bits that the module owns: the guest-host mask. */
export const ownedMask = (register: 'CR0' | 'CR4'): number =>
  maskOf(CONTROL_BIT_ROWS.filter((row) => row.register === register && row.reads !== undefined));

/** What the guest reads of them: the read shadow. */
export const readShadow = (register: 'CR0' | 'CR4'): number =>
  maskOf(CONTROL_BIT_ROWS.filter((row) => row.register === register && row.reads === 1));

/** CR4 bits that exist for a TD, those that the module owns among them. */
export const supportedCr4 = (cpuid: AnnouncedFeatures, params: TdParams): number =>
  maskOf(
    CONTROL_BIT_ROWS.filter(
      ({ register, reads, present }) =>
        register === 'CR4' && (reads !== undefined || present?.(cpuid, params) === true),
    ),
  );

/** Does this write of an owned bit give #GP(0)? Else it is #VE. */
export function isIllegalControlWrite(register: 'CR0' | 'CR4', low: number, high: number, supported: number): boolean {
  if (high !== 0) return true;
  if (register === 'CR4') return (low & ~supported) !== 0;
  const set = (bit: number): boolean => ((low >>> bit) & 1) !== 0;
  return !set(Cr0Bit.NE) || (!set(Cr0Bit.PE) && set(Cr0Bit.PG));
}

/** A component of XCR0: legal only with all that it needs, and with its companions. */
export interface Xcr0Row {
  readonly name: string;
  readonly bits: number;
  /** must be 1 */
  readonly required: boolean;
  /** bits that must be 1 with it */
  readonly needs: number;
  readonly source: string;
}

const X87 = 1;
const SSE = 1 << 1;
const AVX = 1 << 2;
const xcr0 = (name: string, bits: number, needs = 0, required = false): Xcr0Row => ({
  name,
  bits,
  required,
  needs,
  source: 'SDM vol. 1, "Managing State Using the XSAVE Feature Set"; vol. 2, "XSETBV"',
});

/** XCR0 bits; each also needs its XFAM bit. */
export const XCR0_ROWS: readonly Xcr0Row[] = [
  xcr0('x87', X87, 0, true),
  xcr0('SSE', SSE),
  xcr0('AVX', AVX, SSE),
  xcr0('AVX-512', 7 << 5, AVX),
  xcr0('PKRU', 1 << 9),
  xcr0('AMX', 3 << 17),
];
const XCR0_KNOWN = XCR0_ROWS.reduce((mask, { bits }) => mask | bits, 0);

/** May a TD with this XFAM write `low` (bits 31:0) to XCR0? */
export function isLegalXcr0(low: number, { xfam }: TdParams): boolean {
  if ((low & ~(Number(xfam & 0xffff_ffffn) & XCR0_KNOWN)) !== 0) return false;
  return XCR0_ROWS.every(({ bits, required, needs }) => {
    const present = low & bits;
    return present === 0 ? !required : present === bits && (low & needs) === needs;
  });
}
