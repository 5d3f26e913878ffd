/** The untrusted host of one platform: it owns the host's memory, starts the module, and holds any number of TDs. */
import type { TdParams } from '../abi/index.ts';
import type { StateVisitor } from '../bits/index.ts';
import type { LoadPlan } from '../loader/index.ts';
import type { SharedView } from '../memory/shared-view.ts';
import type { HostDoor } from '../seam/host-door.ts';
import { HostPages } from './host-pages.ts';
import { type ModuleFacts, startModule } from './module-start.ts';
import { Seamcalls } from './seamcalls.ts';
import { buildTd, reviveTd } from './td-builder.ts';
import type { TdAttachments, TdHost, TdIdentity } from './td-host.ts';
import { layOutTdmr } from './tdmr-layout.ts';

/** Key ids the host keeps for itself: 0, and none besides. */
const FIRST_TD_KEY_ID = 1;

export class Vmm {
  readonly view: SharedView;
  readonly seamcalls: Seamcalls;
  readonly pages: HostPages;
  readonly #module: ModuleFacts;
  #nextKeyId = FIRST_TD_KEY_ID;

  constructor(door: HostDoor, view: SharedView) {
    this.view = view;
    this.seamcalls = new Seamcalls(door);
    const tdmr = layOutTdmr(view);
    this.pages = new HostPages(view.ramBase, tdmr.pamtBase - view.ramBase);
    this.#module = startModule(this.seamcalls, view, this.pages, tdmr);
  }

  /** The host's own state; that of its TDs is theirs. */
  visitState(state: StateVisitor): void {
    this.#nextKeyId = state.number('nextKeyId', this.#nextKeyId);
    state.part('pages', this.pages);
  }

  /** Takes a TD in hand that the module has already, from a snapshot; its state is restored afterwards. */
  reviveTd(identity: TdIdentity, attachments: TdAttachments): TdHost {
    return reviveTd(identity, { seamcalls: this.seamcalls, view: this.view, pages: this.pages, attachments });
  }

  /** Builds a TD; it runs with `runTd`. */
  buildTd(plan: LoadPlan, attachments: TdAttachments, params?: Partial<TdParams>): TdHost {
    return buildTd(plan, {
      seamcalls: this.seamcalls,
      module: this.#module,
      view: this.view,
      pages: this.pages,
      attachments,
      keyId: this.#nextKeyId++,
      ...(params === undefined ? {} : { params }),
    });
  }
}
