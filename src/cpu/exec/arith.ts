/** Addition and subtraction in all their forms. */
import { change, type IntegerWidth, signBit, widthOf } from './operand.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';

/** The carry flag in the type of a `width`-bit value. */
function carryAt(b: Sem, width: IntegerWidth): Val {
  return width === 64 ? b.extendU(b.flag('CF')) : b.flag('CF');
}

function addition(withCarry: boolean): Operation {
  return {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const addend = source!.read();
      const carry = withCarry ? carryAt(b, width) : undefined;
      const { old, result } = change(destination!, (value) => {
        const sum = b.add(value, addend);
        return carry === undefined ? sum : b.add(sum, carry);
      });
      b.flagsAdd(width, old, addend, result);
    },
  };
}

function subtraction(withBorrow: boolean): Operation {
  return {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const subtrahend = source!.read();
      const borrow = withBorrow ? carryAt(b, width) : undefined;
      const { old, result } = change(destination!, (value) => {
        const difference = b.sub(value, subtrahend);
        return borrow === undefined ? difference : b.sub(difference, borrow);
      });
      b.flagsSub(width, old, subtrahend, result, borrow);
    },
  };
}

/** ADCX and ADOX: a carry chain in one flag, all others kept. */
function carryChain(flag: 'CF' | 'OF'): Operation {
  return {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const addend = source!.read();
      const old = destination!.read();
      const carryIn = b.flag(flag);
      const sum = b.add(b.add(old, addend), width === 64 ? b.extendU(carryIn) : carryIn);
      const carries = b.or(b.and(old, addend), b.and(b.or(old, addend), b.not(sum)));
      b.flagsSet({ [flag]: signBit(b, width, carries) });
      destination!.write(sum);
    },
  };
}

export const arith = {
  ADD: addition(false),
  ADC: addition(true),
  SUB: subtraction(false),
  SBB: subtraction(true),
  CMP: {
    emit: (b, left, right) => {
      const a = left!.read();
      const subtrahend = right!.read();
      b.flagsSub(widthOf(left!), a, subtrahend, b.sub(a, subtrahend));
    },
  },
  INC: {
    emit: (b, place) => {
      const width = widthOf(place!);
      const { old, result } = change(place!, (value) => b.add(value, b.int(width, 1)));
      b.flagsIncrement(width, old, result);
    },
  },
  DEC: {
    emit: (b, place) => {
      const width = widthOf(place!);
      const { old, result } = change(place!, (value) => b.sub(value, b.int(width, 1)));
      b.flagsDecrement(width, old, result);
    },
  },
  NEG: {
    emit: (b, place) => {
      const width = widthOf(place!);
      const { old, result } = change(place!, (value) => b.neg(value));
      b.flagsSub(width, b.int(width, 0), old, result);
    },
  },
  ADCX: carryChain('CF'),
  ADOX: carryChain('OF'),
} satisfies OperationTable;
