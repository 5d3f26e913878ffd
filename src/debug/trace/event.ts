/** One crossing as a trace shows it: what programs read, a line of `.ndjson`, the arguments of a slice in `.json`. */

/** Register and its meaning ("RCX: GPA | level") to value in hexadecimal. */
export type NamedValues = Readonly<Record<string, string>>;

export interface TraceEvent {
  /** running number: crossings in the order in which they happened */
  readonly n: number;
  /** virtual time in nanoseconds */
  readonly ticks: number;
  /** instructions that this vCPU has retired; absent where no vCPU is concerned */
  readonly instructions?: number;
  /** absent for what the host does by itself */
  readonly vcpu?: number;
  readonly rip?: string;
  readonly symbol?: string;
  /** "module call", "VMM call", "#VE", "TD exit", "host call", "private page", ... */
  readonly kind: string;
  /** leaf, sub-function, exit reason, state or vector by its name in the specification */
  readonly name: string;
  readonly in?: NamedValues;
  readonly out?: NamedValues;
  /** completion status or TDVMCALL status by name */
  readonly status?: string;
  /** in words: qualification, range of a MapGPA */
  readonly details?: string;
  /** first guest physical address that this is about, and how many bytes: for filters */
  readonly gpa?: string;
  readonly gpaBytes?: number;
  /** #VE: what the guest did about it, in order */
  readonly ledTo?: readonly string[];
  /** how long until it was answered, in nanoseconds of virtual time */
  readonly ticksTaken?: number;
}
