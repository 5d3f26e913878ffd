/** `boot --top`: the console above, live counters below. */

import { type CrossingRecorder, LIVE_VIEW_LINES, liveView, PageCounts, phaseOf } from '../debug/index.ts';
import type { Td, TdxPlatform } from '../machine/index.ts';
import type { CrossingObserver } from '../probe/index.ts';
import { TopPanel } from './top-panel.ts';

/** A person cannot read faster. */
const MILLISECONDS_BETWEEN_DRAWINGS = 200;

export class Top {
  readonly observer: CrossingObserver;
  readonly #pages = new PageCounts();
  readonly #panel = new TopPanel(process.stdout, LIVE_VIEW_LINES, !process.env.NO_COLOR);
  #last = { milliseconds: performance.now(), instructions: 0 };

  constructor() {
    this.observer = this.#pages;
  }

  /** Draws, if the last time is long enough ago. */
  update(platform: TdxPlatform, { host }: Td, crossings: CrossingRecorder, instructions: number): void {
    const milliseconds = performance.now();
    const passed = milliseconds - this.#last.milliseconds;
    if (passed < MILLISECONDS_BETWEEN_DRAWINGS) return;
    const vcpu = Math.max(0, host.turn.vcpu);
    const processor = platform.module.processorsOf(host.tdrHpa)[vcpu]!;
    const facts = {
      crossings,
      pages: this.#pages,
      phase: phaseOf(processor, host.vcpus[vcpu]!.halted),
      instructions,
      virtualSeconds: platform.clock.nowTicks / 1e9,
      mips: (instructions - this.#last.instructions) / passed / 1000,
    };
    this.#panel.draw(liveView(facts, this.#panel.columns));
    this.#last = { milliseconds, instructions };
  }

  close(): void {
    this.#panel.close();
  }
}
