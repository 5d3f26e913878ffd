/** Where a value comes from that the guest may not simply believe: the marks that the checker follows. */

import type { Mark, Marks } from '../../../cpu/index.ts';
import type { FindingCrossing } from '../finding.ts';
import type { Place } from '../place.ts';

export type OriginKind =
  /** an exposed register, as the VMM left it */
  | 'host'
  /** R10: the status of the service, from the VMM */
  | 'service-status'
  /** RAX after leaf 0: the status of the mechanism, from the module */
  | 'mechanism-status'
  /** bytes of shared memory, as they were when they were read */
  | 'shared-memory';

export interface Origin {
  readonly kind: OriginKind;
  /** where it came in */
  readonly at: Place;
  readonly crossing?: FindingCrossing;
  /** the register that it came in by, in lower case */
  readonly register?: string;
  /** the specification says that this register holds a result; else the guest may not even know that it changed */
  readonly isResult: boolean;
  /** of shared memory: first linear address */
  readonly linear?: bigint;
  /** bytes of shared memory that were read, and looked at, before; now they are read again */
  readonly earlier?: Origin;
  /** the guest has looked at it: a branch depends on it */
  isChecked: boolean;
}

/** A value made of an origin's by a mask of the guest's: bounded, but to look at it is to look at the origin. */
class Masked {
  readonly origin: Origin;
  constructor(origin: Origin) {
    this.origin = origin;
  }
}

const masked = new WeakMap<Origin, Masked>();

export function maskedMarks(marks: Marks): Marks {
  return marks.map((mark) => {
    if (mark instanceof Masked) return mark;
    const origin = mark as Origin;
    const known = masked.get(origin) ?? new Masked(origin);
    masked.set(origin, known);
    return known;
  });
}

export function originOf(mark: Mark): Origin {
  return mark instanceof Masked ? mark.origin : (mark as Origin);
}

/** Those whose values nobody has looked at or bounded. */
export function unchecked(marks: Marks): Origin[] {
  return marks.filter((mark): mark is Origin => !(mark instanceof Masked) && !(mark as Origin).isChecked);
}
