import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../../abi/index.ts';
import { hex } from '../../../bits/index.ts';
import type { CheckRule, ExitEvent, VmmAnswerEvent } from '../events.ts';
import { GHCI } from './documents.ts';

interface Left {
  /** as R11 gave it, shared bit included */
  readonly from: number;
  readonly end: number;
  readonly answer: VmmAnswerEvent;
}

export const mapGpaRetryDropped: CheckRule = {
  id: 'map-gpa-retry-dropped',
  severity: 'error',
  title: 'MapGPA said RETRY, and the guest did not go on from where it had stopped',
  source: { document: GHCI, section: 'TDG.VP.VMCALL<MapGPA>' },
  explanation:
    'A host may convert only a part of what MapGPA asks for. It then answers R10 = TDG.VP.VMCALL_RETRY (1), and R11 is the address to go on from. A guest that takes this for success uses pages that are still what they were; one that starts from the beginning again converts, and perhaps accepts, pages twice.',
  remedy: 'While R10 is RETRY, call MapGPA again with R12 = R11 of the answer and R13 = the length that is left.',
  watch(report, td) {
    let left: Left | undefined;
    const dropped = (what: string): void => {
      const { from, end, answer } = left!;
      left = undefined;
      const gpa = td.splitGpa(from).address;
      report({
        at: answer.at,
        crossing: answer.crossing,
        gpa,
        message: `MapGPA stopped at ${hex(from)} with ${hex(end - from)} bytes left, and ${what}.`,
      });
    };
    const touched = ({ gpa, isShared }: ExitEvent): void => {
      if (left === undefined) return;
      const from = td.splitGpa(left.from);
      const isLeft = gpa >= from.address && gpa < from.address + (left.end - left.from);
      if (isLeft && isShared === from.isShared) dropped(`the guest then used ${hex(gpa)}, which is part of that`);
    };
    return {
      vmmCall({ leaf, given }) {
        if (left === undefined || leaf !== TdvmcallLeaf.MAP_GPA) return;
        const start = given.number(Gpr.R12);
        const end = start + given.number(Gpr.R13);
        if (start !== left.from) dropped(`the next MapGPA begins at ${hex(start)}`);
        else if (end !== left.end) dropped(`the next MapGPA ends at ${hex(end)}, not at ${hex(left.end)}`);
        else left = undefined;
      },
      vmmAnswer(answer) {
        const { call, status, received } = answer;
        if (call.leaf !== TdvmcallLeaf.MAP_GPA || status !== TdvmcallStatus.RETRY) return;
        const end = call.given.number(Gpr.R12) + call.given.number(Gpr.R13);
        left = { from: received.number(Gpr.R11), end, answer };
      },
      virtualizationException: touched,
      tdExit: touched,
      end() {
        if (left !== undefined) dropped('nobody went on');
      },
    };
  },
};
