import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { compareForms } from './driver.ts';
import { BMI_FORMS, INTEGER_FORMS } from './integer-forms.ts';
import { NativeProcessor } from './native.ts';

const native = NativeProcessor.build();

describe("the host's own processor agrees on the integer instructions: results, flags, memory and faults", {
  skip: typeof native === 'string' && native,
}, () => {
  if (typeof native === 'string') return;
  after(() => native.dispose());

  test('in 64-bit mode', () => {
    const amount = { seed: 20241103, mode: 64, encodingsPerForm: 4, casesPerEncoding: 40, withFx: false } as const;
    const { cases, failures } = compareForms(INTEGER_FORMS, native, amount);
    assert.ok(cases > 50_000, `only ${cases} cases ran`);
    assert.equal(failures.join('\n'), '');
  });

  test('in 64-bit mode, compiled', () => {
    const amount = {
      seed: 20031222,
      mode: 64,
      compileAfter: 2,
      encodingsPerForm: 1,
      casesPerEncoding: 40,
      withFx: false,
    } as const;
    const { cases, failures } = compareForms(INTEGER_FORMS, native, amount);
    assert.ok(cases > 10_000, `only ${cases} cases ran`);
    assert.equal(failures.join('\n'), '');
  });

  const skipBmi = native.lacks(['BMI1', 'BMI2', 'LZCNT']);
  for (const compileAfter of [0, 2])
    test(`BMI1, BMI2 and LZCNT${compileAfter === 0 ? '' : ', compiled'}`, { skip: skipBmi }, () => {
      const amount = {
        seed: 2013,
        mode: 64,
        compileAfter,
        encodingsPerForm: 6,
        casesPerEncoding: 40,
        withFx: false,
      } as const;
      const { cases, failures } = compareForms(BMI_FORMS, native, amount);
      assert.ok(cases > 3_000, `only ${cases} cases ran`);
      assert.equal(failures.join('\n'), '');
    });

  const skip = !native.runs32BitCode() && 'the kernel of this machine does not run 32-bit code';
  test('in 32-bit mode', { skip }, () => {
    const amount = { seed: 19851017, mode: 32, encodingsPerForm: 4, casesPerEncoding: 24, withFx: false } as const;
    const { cases, failures } = compareForms(INTEGER_FORMS, native, amount);
    assert.ok(cases > 20_000, `only ${cases} cases ran`);
    assert.equal(failures.join('\n'), '');
  });
  test('BMI1, BMI2 and LZCNT in 32-bit mode', { skip: skip || skipBmi }, () => {
    const amount = { seed: 2012, mode: 32, encodingsPerForm: 4, casesPerEncoding: 24, withFx: false } as const;
    const { failures } = compareForms(BMI_FORMS, native, amount);
    assert.equal(failures.join('\n'), '');
  });
});
