/** The system instructions, most of them executed on the host side. */
import { controlMoveOperations } from './host/control-moves.ts';
import { descriptorTableOperations } from './host/descriptor-tables.ts';
import { exitOperations } from './host/exits.ts';
import { farTransferOperations } from './host/far-transfer.ts';
import { flagsRegisterOperations } from './host/flags-register.ts';
import { interruptReturnOperations } from './host/interrupt-return.ts';
import { msrOperations } from './host/msr-access.ts';
import { portOperations } from './host/port-io.ts';
import { segmentBaseOperations } from './host/segment-base.ts';
import { segmentMoveOperations } from './host/segment-moves.ts';
import { softwareInterruptOperations } from './host/software-interrupts.ts';
import { systemCallOperations } from './host/system-call.ts';
import { timeAndEntropyOperations } from './host/time-and-entropy.ts';
import type { OperationTable } from './sem.ts';

export const systemOperations: OperationTable = {
  ...controlMoveOperations,
  ...descriptorTableOperations,
  ...exitOperations,
  ...farTransferOperations,
  ...flagsRegisterOperations,
  ...interruptReturnOperations,
  ...msrOperations,
  ...portOperations,
  ...segmentBaseOperations,
  ...segmentMoveOperations,
  ...softwareInterruptOperations,
  ...systemCallOperations,
  ...timeAndEntropyOperations,
};
