/** What a rule of the contract says about itself. The function that sees it broken stands beside it, in `rules`. */

/** error: the contract is broken; warning: it holds by luck, or depends on a friendly host; note: worth a look. */
export type Severity = 'error' | 'warning' | 'note';

export interface RuleSource {
  /** document with its version */
  readonly document: string;
  /** title of the section, which survives renumbering */
  readonly section: string;
}

export interface Rule {
  /** "stale-register-exposed": what --check and --explain take, and what SARIF calls ruleId */
  readonly id: string;
  readonly severity: Severity;
  /** half a sentence, without a full stop */
  readonly title: string;
  readonly source: RuleSource;
  /** one paragraph: what is asked for, and what goes wrong without it */
  readonly explanation: string;
  /** one sentence: what to do about a finding */
  readonly remedy: string;
}
