/** The host's part in bringing the module up, once a platform. */
import { Gpr, MetadataField, TdhLeaf } from '../abi/index.ts';
import type { SharedView } from '../memory/shared-view.ts';
import type { ChoosableCpuid } from './cpuid-config.ts';
import { type HostPages, PAGE_4K_BYTES } from './host-pages.ts';
import type { Seamcalls } from './seamcalls.ts';
import type { TdmrLayout } from './tdmr-layout.ts';

/** The last private key id: TDs get those from the first on. */
const MODULE_KEY_ID = 63;

/** What the host must know of the module to build TDs. */
export interface ModuleFacts {
  /** pages of a TD's control structure that TDH.MNG.ADDCX adds */
  readonly tdcsPages: number;
  /** pages of a vCPU's control structure that TDH.VP.ADDCX adds beside the TDVPR page */
  readonly vcpuExtraPages: number;
  /** the CPUID bits that a host may choose, in the order of TD_PARAMS */
  readonly choosableCpuid: readonly ChoosableCpuid[];
  /** vCPUs may have x2APIC ids of the host's choice */
  readonly virtualTopology: boolean;
  /** XFAM bits that a TD may have */
  readonly xfam: bigint;
}

/** TDX Module 2.0 ABI Definition, "TDX_FEATURES0". */
const TDX_FEATURES0_TOPOLOGY_ENUM = 1n << 20n;
/** TDX Module 1.5 ABI Definition, "TDSYSINFO_STRUCT". */
const SystemInformation = {
  bytes: 1024,
  xfamFixed0: 80,
  cpuidConfigCount: 128,
  cpuidConfig: 132,
  cpuidConfigBytes: 24,
  memoryRanges: 32,
} as const;

/** Initialises the module and asks it what it needs. */
export function startModule(seamcalls: Seamcalls, view: SharedView, pages: HostPages, tdmr: TdmrLayout): ModuleFacts {
  seamcalls.call(TdhLeaf.SYS_INIT, {});
  seamcalls.call(TdhLeaf.SYS_LP_INIT, {});
  const pagesOf = (field: bigint) => {
    const bytes = seamcalls.call(TdhLeaf.SYS_RD, { rdx: field }).number(Gpr.R8);
    return Math.ceil(bytes / PAGE_4K_BYTES);
  };
  const features = seamcalls.call(TdhLeaf.SYS_RD, { rdx: MetadataField.TDX_FEATURES0 }).u64[Gpr.R8]!;
  giveMemory(seamcalls, view, pages, tdmr);
  return {
    virtualTopology: (features & TDX_FEATURES0_TOPOLOGY_ENUM) !== 0n,
    tdcsPages: pagesOf(MetadataField.TDCS_BASE_SIZE),
    vcpuExtraPages: pagesOf(MetadataField.TDVPS_BASE_SIZE) - 1,
    ...readSystemInformation(seamcalls, view, pages),
  };
}

/** TDH.SYS.CONFIG, SYS.KEY.CONFIG, and TDH.SYS.TDMR.INIT until all of it is ready. */
function giveMemory(seamcalls: Seamcalls, view: SharedView, pages: HostPages, tdmr: TdmrLayout): void {
  const scratchHpa = pages.take4K();
  const infoHpa = scratchHpa + PAGE_4K_BYTES / 2;
  view.write64(scratchHpa, BigInt(infoHpa));
  view.write(infoHpa, tdmr.info);
  seamcalls.call(TdhLeaf.SYS_CONFIG, { rcx: scratchHpa, rdx: 1, r8: MODULE_KEY_ID });
  seamcalls.call(TdhLeaf.SYS_KEY_CONFIG, {});
  while (seamcalls.call(TdhLeaf.SYS_TDMR_INIT, { rcx: 0 }).number(Gpr.RDX) < tdmr.lengthBytes);
  pages.give4K(scratchHpa);
}

/** TDH.SYS.INFO writes its answer to a host page, and the memory ranges that may be private: this host knows its RAM. */
function readSystemInformation(
  seamcalls: Seamcalls,
  view: SharedView,
  pages: HostPages,
): Pick<ModuleFacts, 'choosableCpuid' | 'xfam'> {
  const scratchHpa = pages.take4K();
  seamcalls.call(TdhLeaf.SYS_INFO, {
    rcx: scratchHpa,
    rdx: SystemInformation.bytes,
    r8: scratchHpa + PAGE_4K_BYTES / 2,
    r9: SystemInformation.memoryRanges,
  });
  const bytes = view.read(scratchHpa, SystemInformation.bytes);
  pages.give4K(scratchHpa);
  const table = new DataView(bytes.buffer);
  const rows = table.getUint32(SystemInformation.cpuidConfigCount, true);
  const choosableCpuid = Array.from({ length: rows }, (_, row): ChoosableCpuid => {
    const at = SystemInformation.cpuidConfig + row * SystemInformation.cpuidConfigBytes;
    const word = (index: number) => table.getUint32(at + 4 * index, true);
    return { leaf: word(0), subleaf: word(1) | 0, eax: word(2), ebx: word(3), ecx: word(4), edx: word(5) };
  });
  return { choosableCpuid, xfam: table.getBigUint64(SystemInformation.xfamFixed0, true) };
}
