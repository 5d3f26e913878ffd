/** Sizes of the XSAVE area, from the components that CPUID leaf 0xD describes. Source: SDM vol. 1, "Managing State Using the XSAVE Feature Set". */
import type { CpuidValues } from './cpuid-values.ts';

/** legacy region and header */
const BASE_BYTES = 576;
const FIRST_COMPONENT = 2;
const COMPONENTS = 19;
const ALIGNED = 1 << 1;

/** Answers leaf 0xD of a sub-leaf (component) natively. */
export type ComponentReader = (component: number) => CpuidValues;

/** Bytes in the standard format, where each component has its place. */
export function standardSize(components: bigint, read: ComponentReader): number {
  let end = BASE_BYTES;
  for (let component = FIRST_COMPONENT; component < COMPONENTS; component++)
    if (((components >> BigInt(component)) & 1n) !== 0n) {
      const { eax, ebx } = read(component);
      end = Math.max(end, eax + ebx);
    }
  return end;
}

/** Bytes in the compacted format, where components follow one another. */
export function compactedSize(components: bigint, read: ComponentReader): number {
  let end = BASE_BYTES;
  for (let component = FIRST_COMPONENT; component < COMPONENTS; component++)
    if (((components >> BigInt(component)) & 1n) !== 0n) {
      const { eax, ecx } = read(component);
      if ((ecx & ALIGNED) !== 0) end = Math.ceil(end / 64) * 64;
      end += eax;
    }
  return end;
}
