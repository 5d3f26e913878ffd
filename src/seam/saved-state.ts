/** The module's part of a snapshot: what it keeps of every TD and vCPU. What follows from TD_PARAMS is made again. */
import { buildTdParams, parseTdParams, TD_PARAMS_BYTES } from '../abi/index.ts';
import { SnapshotError, type StateVisitor } from '../bits/index.ts';
import type { SeamCore, SysState } from './core.ts';
import { configurationFor } from './seamcall/tdh-mng-init.ts';
import { giveProcessor } from './seamcall/tdh-vp-init.ts';
import { OpState, Td } from './structures/td.ts';
import { Vcpu } from './structures/vcpu.ts';

/**
 * Fields of TDs and vCPUs are found by themselves (`StateVisitor.fields`); here are those that are something else. Restoring into a
 * module without TDs makes them; else they have to be the same.
 */
export function visitModule(core: SeamCore, state: StateVisitor): void {
  state.part('pamt', core.pamt);
  state.part('keys', core.keys);
  state.part('sharedHalf', core.sharedHalf);
  state.part('secrets', core.secrets);
  core.sysState = state.number('sysState', core.sysState) as SysState;
  core.handoffValid = state.flag('handoffValid', core.handoffValid);
  const tds = [...core.tds.values()];
  state.list('tds', tds.length, (item, index) => visitTd(core, item, tds[index]));
}

function visitTd(core: SeamCore, state: StateVisitor, existing: Td | undefined): void {
  if (existing !== undefined && (existing.opState !== OpState.RUNNABLE || existing.configuration === undefined))
    throw new SnapshotError('a TD is still being built');
  const tdrHpa = state.number('tdrHpa', existing?.tdrHpa ?? 0);
  const keyId = state.number('keyId', existing?.keyId ?? 0);
  const params =
    existing === undefined ? new Uint8Array(TD_PARAMS_BYTES) : buildTdParams(existing.configuration!.params);
  state.array('params', params);
  if (existing !== undefined && existing.tdrHpa !== tdrHpa) throw new SnapshotError('the platform has other TDs');
  const td = existing ?? makeTd(core, tdrHpa, keyId, params);
  state.fields('td', td, ['tdrHpa', 'keyId', 'configuration', 'vcpus', 'sharedEpt', 'secrets']);
  const configuration = td.configuration!;
  state.part('secureEpt', configuration.secureEpt);
  state.part('secondLevel', configuration.secondLevel);
  state.part('mrtd', configuration.mrtd);
  state.list('vcpus', td.vcpus.length, (item, index) => visitVcpu(core, item, td, td.vcpus[index]));
}

function makeTd(core: SeamCore, tdrHpa: number, keyId: number, params: Uint8Array): Td {
  const td = new Td(tdrHpa, keyId, new Uint8Array(32), core.secrets);
  const configuration = configurationFor(core, parseTdParams(params));
  if ('refusedLeaf' in configuration) throw new SnapshotError('this processor refuses the CPUID of the TD');
  td.initialize(configuration, 0);
  core.tds.set(tdrHpa, td);
  return td;
}

function visitVcpu(core: SeamCore, state: StateVisitor, td: Td, existing: Vcpu | undefined): void {
  const tdvprHpa = state.number('tdvprHpa', existing?.tdvprHpa ?? 0);
  let vcpu = existing;
  if (vcpu === undefined) {
    vcpu = new Vcpu(tdvprHpa, td);
    core.vcpus.set(tdvprHpa, vcpu);
    giveProcessor(core, vcpu, td.configuration!, 0, 0);
  }
  const processor = state.number('processor', vcpu.cpu.index);
  if (processor !== vcpu.cpu.index || vcpu.tdvprHpa !== tdvprHpa)
    throw new SnapshotError('the processors of the platform are others');
  state.fields('vcpu', vcpu, ['tdvprHpa', 'td', 'processor']);
}
