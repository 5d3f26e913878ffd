/**
 * States of a Secure EPT entry, and what may be done in each: the one table. The nine states beside these (REMOVED, BLOCKEDW,
 * EXPORTED_*, their pending forms) are entered by live migration only, which is not there. Source: TDX Module 1.5 ABI Definition,
 * "Secure EPT Entry State"; TDX Module 1.5 Base Architecture, "Secure EPT Entry State Diagram"; module 1.5.01, sept_state_lookup.c.
 */

export const SeptState = {
  FREE: 0,
  NL_MAPPED: 1,
  NL_BLOCKED: 2,
  MAPPED: 3,
  BLOCKED: 4,
  PENDING: 5,
  PENDING_BLOCKED: 6,
} as const;
export type SeptState = (typeof SeptState)[keyof typeof SeptState];

/** Operations that depend on the state; each names the leaf that performs it. */
export const SeptOperation = {
  MEM_PAGE_ADD: 0,
  MEM_SEPT_ADD: 1,
  MEM_PAGE_AUG: 2,
  MEM_RANGE_BLOCK: 3,
  MEM_RANGE_UNBLOCK: 4,
  MEM_PAGE_DEMOTE: 5,
  MEM_PAGE_PROMOTE: 6,
  MEM_PAGE_REMOVE: 7,
  MEM_SEPT_REMOVE: 8,
  MR_EXTEND: 9,
  MEM_RD: 10,
  MEM_WR: 11,
  PAGE_ACCEPT: 12,
  MEM_PAGE_RELOCATE: 13,
} as const;
export type SeptOperation = (typeof SeptOperation)[keyof typeof SeptOperation];

export interface SeptStateRow {
  readonly state: SeptState;
  readonly name: string;
  /** number of the state as the ABI shows it to the host */
  readonly publicState: number;
  readonly leaf: boolean;
  /** the guest reads, writes and executes */
  readonly accessible: boolean;
  readonly blocked: boolean;
  readonly pending: boolean;
  /** operation to the state it leads to; what is not named is refused */
  readonly transitions: Readonly<Partial<Record<SeptOperation, SeptState>>>;
}

const Op = SeptOperation;
const S = SeptState;
const kept = (state: SeptState, ...operations: SeptOperation[]) =>
  Object.fromEntries(operations.map((operation) => [operation, state]));

/** What the operations that end a table's life lead to, blocked or not: a TD that may run needs it blocked besides. */
const TABLE = { [Op.MEM_SEPT_REMOVE]: S.FREE, [Op.MEM_PAGE_PROMOTE]: S.MAPPED };
/** The same for a page. */
const PAGE = { [Op.MEM_PAGE_DEMOTE]: S.NL_MAPPED, [Op.MEM_PAGE_REMOVE]: S.FREE };

/** One row a state, indexed by the state; for code, `nextState` is the quicker way to the transitions. */
export const SEPT_STATES: readonly SeptStateRow[] = [
  {
    state: S.FREE,
    name: 'FREE',
    publicState: 0,
    leaf: false,
    accessible: false,
    blocked: false,
    pending: false,
    transitions: { [Op.MEM_PAGE_ADD]: S.MAPPED, [Op.MEM_PAGE_AUG]: S.PENDING, [Op.MEM_SEPT_ADD]: S.NL_MAPPED },
  },
  {
    state: S.NL_MAPPED,
    name: 'NL_MAPPED',
    publicState: 0x84,
    leaf: false,
    accessible: false,
    blocked: false,
    pending: false,
    transitions: { [Op.MEM_RANGE_BLOCK]: S.NL_BLOCKED, ...kept(S.NL_MAPPED, Op.MEM_SEPT_ADD), ...TABLE },
  },
  {
    state: S.NL_BLOCKED,
    name: 'NL_BLOCKED',
    publicState: 0x81,
    leaf: false,
    accessible: false,
    blocked: true,
    pending: false,
    transitions: { [Op.MEM_RANGE_UNBLOCK]: S.NL_MAPPED, ...TABLE },
  },
  {
    state: S.MAPPED,
    name: 'MAPPED',
    publicState: 4,
    leaf: true,
    accessible: true,
    blocked: false,
    pending: false,
    transitions: {
      [Op.MEM_RANGE_BLOCK]: S.BLOCKED,
      ...PAGE,
      ...kept(S.MAPPED, Op.MEM_PAGE_RELOCATE, Op.MR_EXTEND, Op.MEM_RD, Op.MEM_WR),
    },
  },
  {
    state: S.BLOCKED,
    name: 'BLOCKED',
    publicState: 1,
    leaf: true,
    accessible: false,
    blocked: true,
    pending: false,
    transitions: { [Op.MEM_RANGE_UNBLOCK]: S.MAPPED, [Op.MEM_PAGE_RELOCATE]: S.MAPPED, ...PAGE },
  },
  {
    state: S.PENDING,
    name: 'PENDING',
    publicState: 2,
    leaf: true,
    accessible: false,
    blocked: false,
    pending: true,
    transitions: {
      [Op.PAGE_ACCEPT]: S.MAPPED,
      [Op.MEM_RANGE_BLOCK]: S.PENDING_BLOCKED,
      ...PAGE,
      ...kept(S.PENDING, Op.MEM_PAGE_RELOCATE),
    },
  },
  {
    state: S.PENDING_BLOCKED,
    name: 'PENDING_BLOCKED',
    publicState: 3,
    leaf: true,
    accessible: false,
    blocked: true,
    pending: true,
    transitions: { [Op.MEM_RANGE_UNBLOCK]: S.PENDING, [Op.MEM_PAGE_RELOCATE]: S.PENDING, ...PAGE },
  },
];

const OPERATIONS = Object.keys(SeptOperation).length;
const REFUSED = -1;
const NEXT = new Int8Array(SEPT_STATES.length * OPERATIONS).fill(REFUSED);
for (const { state, transitions } of SEPT_STATES)
  for (const [operation, next] of Object.entries(transitions)) NEXT[state * OPERATIONS + Number(operation)] = next;

/** The state that the operation leads to, -1 if it is refused. */
export function nextState(state: SeptState, operation: SeptOperation): number {
  return NEXT[state * OPERATIONS + operation]!;
}
