/** AND, OR, XOR, NOT, TEST. */
import { change, widthOf } from './operand.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';

function bitwise(combine: (b: Sem, a: Val, c: Val) => Val): Operation {
  return {
    emit: (b, destination, source) => {
      const operand = source!.read();
      const { result } = change(destination!, (value) => combine(b, value, operand));
      b.flagsLogic(widthOf(destination!), result);
    },
  };
}

export const logic = {
  AND: bitwise((b, a, c) => b.and(a, c)),
  OR: bitwise((b, a, c) => b.or(a, c)),
  XOR: bitwise((b, a, c) => b.xor(a, c)),
  NOT: {
    emit: (b, place) => {
      place!.modify((value) => b.not(value));
    },
  },
  TEST: {
    emit: (b, left, right) => {
      b.flagsLogic(widthOf(left!), b.and(left!.read(), right!.read()));
    },
  },
} satisfies OperationTable;
