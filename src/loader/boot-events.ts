/**
 * What direct boot measures into RTMRs, as firmware would: tables in RTMR0, kernel in RTMR1, command line and initramfs in RTMR2. All of it is
 * in MRTD already; docs/decisions/0008-direct-boot-measures-twice.md says why it is here again.
 */
import { beginSha384 } from '../digest/index.ts';
import { EventType, type MeasuredEvent } from './event-log.ts';

export interface BootParts {
  readonly acpiTables: Uint8Array;
  /** gives the digest of the file, which may still be being computed */
  readonly kernelDigest: () => Uint8Array;
  /** without its terminating zero */
  readonly commandLine: Uint8Array;
  readonly initrd: Uint8Array | undefined;
}

export function bootEvents({ acpiTables, kernelDigest, commandLine, initrd }: BootParts): MeasuredEvent[] {
  const event = (rtmr: number, type: number, hashed: () => Uint8Array, text: string): MeasuredEvent => {
    let digest: Uint8Array | undefined;
    return {
      rtmr,
      type,
      get digest() {
        digest ??= hashed();
        return digest;
      },
      data: new TextEncoder().encode(text),
    };
  };
  return [
    event(0, EventType.PLATFORM_CONFIG_FLAGS, beginSha384(acpiTables), 'ACPI DATA'),
    event(1, EventType.IPL, kernelDigest, 'kernel'),
    event(2, EventType.IPL, beginSha384(commandLine), `kernel_cmdline: ${new TextDecoder().decode(commandLine)}`),
    ...(initrd ? [event(2, EventType.IPL, beginSha384(initrd), 'initrd')] : []),
  ];
}
