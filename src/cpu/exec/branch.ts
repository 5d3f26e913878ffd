/** Near transfers of control. */
import { Register, stackWidth } from './operand.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';

function goTo(b: Sem, target: Place): void {
  if (target.kind === 'relative') b.branch(target);
  else b.jump(b.extendU(target.read()));
}

function call(b: Sem, target: Place): void {
  const width = stackWidth(b);
  const pointer = target.kind === 'relative' ? undefined : target.read();
  b.push(width, width === 64 ? b.nextIp() : b.wrap(b.nextIp()));
  if (pointer === undefined) b.branch(target);
  else b.jump(b.extendU(pointer));
}

function returnNear(b: Sem, release: Place | undefined): void {
  const target = b.pop(stackWidth(b));
  if (release !== undefined) {
    const { mode } = b.facts;
    const bytes = b.and(b.wrap(release.read()), b.i32(0xffff));
    const pointer = b.gpr(Register.SP, mode);
    b.setGpr(Register.SP, mode, b.add(pointer, mode === 64 ? b.extendU(bytes) : bytes));
  }
  b.jump(b.extendU(target));
}

/** LOOP and kin: counts (R/E)CX down and branches while it is not 0 and `also` holds. */
function countedLoop(also?: (b: Sem) => Val): Operation {
  return {
    varies: ['addressSize'],
    emit: (b, target) => {
      const { addressSize } = b.facts;
      const count = b.gpr(Register.CX, addressSize);
      const left = b.sub(count, b.int(addressSize, 1));
      const goesOn = b.ne(count, b.int(addressSize, 1));
      const condition = also === undefined ? goesOn : b.and(goesOn, also(b));
      b.setGpr(Register.CX, addressSize, left);
      b.branch(target!, condition);
    },
  };
}

/** JCXZ, JECXZ and JRCXZ are one opcode; the address size tells them apart. */
const jumpIfCountZero: Operation = {
  varies: ['addressSize'],
  emit: (b, target) => {
    b.branch(target!, b.eqz(b.gpr(Register.CX, b.facts.addressSize)));
  },
};

export const branches = {
  JMP: { emit: (b, target) => goTo(b, target!) },
  Jcc: {
    emit: (b, target) => {
      b.branch(target!, b.condition(b.facts.condition));
    },
  },
  CALL: { varies: ['mode'], emit: (b, target) => call(b, target!) },
  RET: { varies: ['mode'], emit: (b, release) => returnNear(b, release) },
  LOOP: countedLoop(),
  LOOPE: countedLoop((b) => b.flag('ZF')),
  LOOPNE: countedLoop((b) => b.eqz(b.flag('ZF'))),
  JRCXZ: jumpIfCountZero,
} satisfies OperationTable;
