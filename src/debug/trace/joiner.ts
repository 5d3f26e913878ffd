/** Joins what belongs together: a VMM call and its answer, a #VE and what the guest did about it. Events leave in their order. */

import { TdgLeaf } from '../../abi/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { addAnswer, type Mutable } from './describe.ts';
import type { TraceEvent } from './event.ts';
import type { CrossingRecord } from './record.ts';

/** A call that is never answered holds no more than this back. */
const LONGEST_QUEUE = 50_000;

interface Waiting {
  readonly event: Mutable<TraceEvent>;
  isComplete: boolean;
}

interface OfVcpu {
  /** VMM call without an answer, and its code */
  call: (Waiting & { readonly code: number }) | undefined;
  exception: Waiting | undefined;
}

export class Joiner {
  readonly #emit: (event: TraceEvent) => void;
  #queue: Waiting[] = [];
  readonly #ofVcpu: OfVcpu[] = [];

  constructor(emit: (event: TraceEvent) => void) {
    this.#emit = emit;
  }

  /** An answer to the call that waits for it. */
  answer(record: CrossingRecord): void {
    const { call } = this.#of(record.vcpu);
    if (call === undefined) return;
    addAnswer(call.event, call.code, record);
    call.isComplete = true;
    this.#of(record.vcpu).call = undefined;
    this.#release();
  }

  event(event: Mutable<TraceEvent>, { kind, vcpu, code }: CrossingRecord): void {
    const waiting = { event, isComplete: true, code };
    if (vcpu >= 0) {
      const of = this.#of(vcpu);
      if (of.exception !== undefined) this.#goesOn(of, event, kind, code);
      if (kind === CrossingKind.VmmCall) of.call = waiting;
      if (kind === CrossingKind.VirtualizationException) {
        of.exception = waiting;
        event.ledTo = [];
      }
      waiting.isComplete = kind !== CrossingKind.VmmCall && kind !== CrossingKind.VirtualizationException;
    }
    this.#queue.push(waiting);
    this.#release();
  }

  /** Nothing more will come: what waits goes as it is. */
  end(): void {
    for (const waiting of this.#queue) waiting.isComplete = true;
    this.#release();
  }

  #of(vcpu: number): OfVcpu {
    return (this.#ofVcpu[vcpu] ??= { call: undefined, exception: undefined });
  }

  /** The guest reads what the #VE was about, and then does something about it, or nothing that crosses. */
  #goesOn(of: OfVcpu, event: TraceEvent, kind: CrossingKind, code: number): void {
    const exception = of.exception!;
    const isCall = kind === CrossingKind.ModuleCall || kind === CrossingKind.VmmCall;
    const isAnswered = isCall || kind === CrossingKind.Exception || kind === CrossingKind.TdExit;
    if (isAnswered) exception.event.ticksTaken = event.ticks - exception.event.ticks;
    if (isCall) exception.event.ledTo = [...exception.event.ledTo!, event.name];
    else if (isAnswered) exception.event.ledTo = [...exception.event.ledTo!, `${event.kind} ${event.name}`];
    if (kind === CrossingKind.ModuleCall && code === TdgLeaf.VP_VEINFO_GET) return;
    exception.isComplete = true;
    of.exception = undefined;
  }

  #release(): void {
    const queue = this.#queue;
    let ready = 0;
    while (ready < queue.length && (queue[ready]!.isComplete || queue.length - ready > LONGEST_QUEUE))
      this.#emit(queue[ready++]!.event);
    if (ready > 0) this.#queue = queue.slice(ready);
  }
}
