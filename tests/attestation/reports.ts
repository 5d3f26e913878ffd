/** TDREPORTs without a guest. */
import { sha384 } from '@noble/hashes/sha2.js';
import { TDREPORT_LAYOUT as L, TDINFO_LAYOUT, TDREPORT_BYTES, TEE_TCB_INFO_BYTES } from '../../src/abi/index.ts';
import type { QuoteVersion } from '../../src/attestation/index.ts';
import { PlatformSecrets } from '../../src/seam/report/platform-secrets.ts';
import { QuotingService } from '../../src/vmm/index.ts';

const SEPT_VE_DISABLE = 1 << 4;

/** A quoting service, and genuine reports of its platform. */
export function serviceOf(seed: number, version: QuoteVersion): { service: QuotingService; report: () => Uint8Array } {
  const secrets = new PlatformSecrets(seed);
  const platform = {
    verifyReport: (struct: Uint8Array) => secrets.isOwnReport(struct),
    enclaveKey: (purpose: string) => secrets.derive(purpose),
  };
  /** All fields differ, the hashes and the MAC fit. */
  const report = () => {
    const bytes = new Uint8Array(TDREPORT_BYTES);
    bytes[L.type] = 0x81;
    bytes.fill(1, L.cpuSvn, L.cpuSvn + 16);
    bytes.set([1, 1], L.teeTcbSvn);
    bytes.fill(0x5e, L.mrSeam, L.mrSeam + 48);
    bytes[L.tdInfo + TDINFO_LAYOUT.attributes + 3] = SEPT_VE_DISABLE;
    for (let i = TDINFO_LAYOUT.mrtd; i < TDINFO_LAYOUT.servtdHash; i += 48)
      bytes.fill(i >> 4, L.tdInfo + i, L.tdInfo + i + 48);
    bytes.fill(0xda, L.reportData, L.reportData + 64);
    bytes.set(sha384(bytes.subarray(L.teeTcbInfo, L.teeTcbInfo + TEE_TCB_INFO_BYTES)), L.teeTcbInfoHash);
    bytes.set(sha384(bytes.subarray(L.tdInfo)), L.teeInfoHash);
    bytes.set(secrets.reportMac(bytes.subarray(0, L.mac)), L.mac);
    return bytes;
  };
  return { service: new QuotingService(platform, version), report };
}
