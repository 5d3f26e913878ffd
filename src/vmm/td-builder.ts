/** Builds a TD from a plan, the only way there is: SEAMCALL by SEAMCALL (TDX Module 1.5 Base Architecture, "TD Build"). */
import { buildTdParams, ConfigFlag, type Gpaw, TdAttribute, TdhLeaf, type TdParams } from '../abi/index.ts';
import { type Bytes, hex, readBytes } from '../bits/index.ts';
import { inOrderOfAddition, type LoadPlan, type PlanRegion, regionBytes } from '../loader/index.ts';
import type { SharedView } from '../memory/shared-view.ts';
import { cpuidConfig } from './cpuid-config.ts';
import { type HostPages, PAGE_4K_BYTES } from './host-pages.ts';
import type { ModuleFacts } from './module-start.ts';
import { PrivateMemory } from './private-memory.ts';
import type { Seamcalls } from './seamcalls.ts';
import { SharedMemory } from './shared-memory.ts';
import { type TdAttachments, TdHost, type TdIdentity } from './td-host.ts';
import { Vcpu } from './vcpu.ts';
import { X2Apic } from './x2apic.ts';

const MEASURED_CHUNK_BYTES = 256;
const GPAW: Gpaw = 48;
const EPT_LEVELS = 4;

/** What a host needs to have a TD at all. */
export interface TdReviveOptions {
  readonly seamcalls: Seamcalls;
  readonly view: SharedView;
  readonly pages: HostPages;
  readonly attachments: TdAttachments;
}

export interface TdBuilderOptions extends TdReviveOptions {
  readonly module: ModuleFacts;
  /** key id of the TD's memory, free so far */
  readonly keyId: number;
  /** what differs from this host's usual TD_PARAMS */
  readonly params?: Partial<TdParams>;
}

/** Throws SeamcallError when the module refuses a step, RangeError when the plan is no plan. */
export function buildTd(plan: LoadPlan, options: TdBuilderOptions): TdHost {
  checkPlan(plan);
  const { seamcalls, pages, view } = options;
  const tdrHpa = pages.take4K();
  seamcalls.call(TdhLeaf.MNG_CREATE, { rcx: tdrHpa, rdx: options.keyId });
  seamcalls.call(TdhLeaf.MNG_KEY_CONFIG, { rcx: tdrHpa });
  for (let i = 0; i < options.module.tdcsPages; i++)
    seamcalls.call(TdhLeaf.MNG_ADDCX, { rcx: pages.take4K(), rdx: tdrHpa });

  const scratchHpa = pages.take4K();
  view.write(scratchHpa, buildTdParams(tdParams(plan, options)));
  seamcalls.call(TdhLeaf.MNG_INIT, { rcx: tdrHpa, rdx: scratchHpa });
  const tscOriginTicks = options.attachments.clock.nowTicks;

  const td = takeInHand({ tdrHpa, tscOriginTicks, ram: plan.regions, tdvprHpas: [] }, options);
  for (let index = 0; index < plan.vcpus; index++)
    td.vcpus.push(hostVcpu(td, index, createVcpu(td, index, plan.initialRcx, options)));
  for (const region of inOrderOfAddition(plan.regions)) addRegion(region, td, scratchHpa, view);
  seamcalls.call(TdhLeaf.MR_FINALIZE, { rcx: tdrHpa });
  pages.give4K(scratchHpa);
  return td;
}

/** The host's side of a TD that the module has already. */
export function reviveTd(identity: TdIdentity, options: TdReviveOptions): TdHost {
  const td = takeInHand(identity, options);
  for (const [index, hpa] of identity.tdvprHpas.entries()) td.vcpus.push(hostVcpu(td, index, hpa));
  return td;
}

function takeInHand({ tdrHpa, tscOriginTicks, ram }: TdIdentity, options: TdReviveOptions): TdHost {
  const { seamcalls, pages, view, attachments } = options;
  const privateMemory = new PrivateMemory(seamcalls, pages, tdrHpa, EPT_LEVELS, ram);
  const sharedMemory = new SharedMemory(view, pages, GPAW);
  const td = new TdHost(tdrHpa, GPAW, tscOriginTicks, seamcalls, privateMemory, sharedMemory, attachments);
  seamcalls.door.attachSharedEpt(tdrHpa, sharedMemory.ept);
  return td;
}

/** SEPT_VE_DISABLE: touching a page that was not accepted is the guest's end, not a #VE it could be tricked with. */
function tdParams(plan: LoadPlan, { module, params }: TdBuilderOptions): Partial<TdParams> {
  return {
    attributes: TdAttribute.SEPT_VE_DISABLE,
    xfam: module.xfam,
    maxVcpus: plan.vcpus,
    configFlags: ConfigFlag.NO_RBP_MOD,
    cpuidConfig: cpuidConfig(module.choosableCpuid, plan.vcpus),
    ...params,
  };
}

/** SEAMCALL by SEAMCALL; the HPA of its TDVPR. */
function createVcpu(
  td: TdHost,
  index: number,
  initialRcx: number,
  { seamcalls, pages, module }: TdBuilderOptions,
): number {
  const tdvprHpa = pages.take4K();
  seamcalls.call(TdhLeaf.VP_CREATE, { rcx: tdvprHpa, rdx: td.tdrHpa });
  for (let i = 0; i < module.vcpuExtraPages; i++)
    seamcalls.call(TdhLeaf.VP_ADDCX, { rcx: pages.take4K(), rdx: tdvprHpa });
  if (module.virtualTopology)
    seamcalls.call(TdhLeaf.VP_INIT, { rcx: tdvprHpa, rdx: initialRcx, r8: index, version: 1 });
  else seamcalls.call(TdhLeaf.VP_INIT, { rcx: tdvprHpa, rdx: initialRcx });
  return tdvprHpa;
}

function hostVcpu(td: TdHost, index: number, tdvprHpa: number): Vcpu {
  const vcpu: Vcpu = new Vcpu(
    td,
    index,
    tdvprHpa,
    new X2Apic({
      apicId: index,
      bootstrap: index === 0,
      clock: td.clock,
      tscOriginTicks: td.tscOriginTicks,
      post: (vector) => td.post(vcpu, vector),
      postNmi: () => td.postNmi(vcpu),
      send: (message, exceptSender) => td.send(message, exceptSender ? vcpu : undefined),
    }),
  );
  return vcpu;
}

/** Each page goes through one host page; the module copies it from there. */
function addRegion(region: PlanRegion, td: TdHost, scratchHpa: number, view: SharedView): void {
  if (region.treatment === 'pending') return; // augmented when the guest asks
  const content = regionBytes(region);
  checkContent(region, content);
  const { tdrHpa, seamcalls, privateMemory } = td;
  for (let offset = 0; offset < region.lengthBytes; offset += PAGE_4K_BYTES) {
    const part = readBytes(content, offset, offset + PAGE_4K_BYTES);
    if (part.length < PAGE_4K_BYTES) view.fill(scratchHpa, PAGE_4K_BYTES, 0);
    view.write(scratchHpa, part);
    const gpa = region.startGpa + offset;
    privateMemory.add(gpa, scratchHpa);
    if (region.treatment !== 'added-measured') continue;
    for (let chunk = 0; chunk < PAGE_4K_BYTES; chunk += MEASURED_CHUNK_BYTES)
      seamcalls.callWith(TdhLeaf.MR_EXTEND, gpa + chunk, tdrHpa);
  }
}

function checkPlan(plan: LoadPlan): void {
  if (!Number.isInteger(plan.vcpus) || plan.vcpus < 1) throw new RangeError(`a plan of ${plan.vcpus} vCPUs`);
  let end = 0;
  for (const region of plan.regions) {
    const { name, startGpa, lengthBytes, content } = region;
    if (startGpa % PAGE_4K_BYTES !== 0 || lengthBytes % PAGE_4K_BYTES !== 0)
      throw new RangeError(`region ${name} of the plan is not made of 4 KiB pages`);
    if (startGpa < end) throw new RangeError(`region ${name} of the plan overlaps its predecessor at ${hex(startGpa)}`);
    if (typeof content === 'object') checkContent(region, content);
    end = startGpa + lengthBytes;
  }
}

function checkContent({ name, lengthBytes }: PlanRegion, content: Bytes): void {
  if (content.length > lengthBytes)
    throw new RangeError(`region ${name} of the plan holds ${content.length} bytes in ${lengthBytes}`);
}
