/** The operations of system software. */
import { baseAndTimeOperations } from './host/bases-and-time.ts';
import { controlMoveOperations } from './host/control-moves.ts';
import { descriptorTableOperations } from './host/descriptor-tables.ts';
import { directStoreOperations } from './host/direct-store.ts';
import { exitingOperations } from './host/exiting.ts';
import { farTransferOperations } from './host/far-transfer.ts';
import { interruptReturnOperations } from './host/interrupt-return.ts';
import { modelSpecificOperations } from './host/model-specific.ts';
import { pauseOperations } from './host/pause.ts';
import { portOperations } from './host/ports.ts';
import { protectionKeyOperations } from './host/protection-keys.ts';
import { randomOperations } from './host/random.ts';
import { segmentMoveOperations } from './host/segment-moves.ts';
import { softwareInterruptOperations } from './host/software-interrupts.ts';
import { systemCallOperations } from './host/system-call.ts';
import { systemFlagOperations } from './host/system-flags.ts';
import { joinTables } from './join-tables.ts';

export const systemOperations = joinTables(
  baseAndTimeOperations,
  controlMoveOperations,
  descriptorTableOperations,
  directStoreOperations,
  exitingOperations,
  farTransferOperations,
  interruptReturnOperations,
  modelSpecificOperations,
  pauseOperations,
  portOperations,
  protectionKeyOperations,
  randomOperations,
  segmentMoveOperations,
  softwareInterruptOperations,
  systemCallOperations,
  systemFlagOperations,
);
