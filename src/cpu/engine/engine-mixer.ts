/**
 * Switches between interpreter and compiled code in the middle of a run, for tests: the guest must not be able to tell. Without a mixer this costs
 * one comparison each time generated code is entered.
 */

/** What a mixer may do to code: nothing that a guest could see. */
export interface MixableCode {
  /** visits after which a block is compiled */
  compileAfter: number;
  readonly regionsCompiled: number;
  /** host pages that have compiled code */
  readonly compiledPages: readonly number[];
  /** Drops the compiled code of a host page: its heads lead to the interpreter for good. */
  dropRegions(hostPage: number): void;
  /** Forgets all that is decoded or compiled in a host page, which is met as new. */
  forgetPage(hostPage: number): void;
}

export interface EngineMixer {
  /** Asked before generated code is entered; returns the most instructions it may run before it is asked again, at least 1. */
  mix(code: MixableCode): number;
}
