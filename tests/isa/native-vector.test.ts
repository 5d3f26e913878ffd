import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { OPERATIONS } from '../../src/cpu/index.ts';
import { rows } from '../../src/isa/opcodes/index.ts';
import { type Amount, compareForms, type FormUnderTest } from './driver.ts';
import { NativeProcessor } from './native.ts';
import { featuresOf, TRANSCENDENTAL_FORMS, VECTOR_FORMS, VEX_FORMS, X87_FORMS } from './vector-forms.ts';

const VECTOR_FEATURES =
  /\b(MMX|SSE|SSE2|SSE3|SSSE3|SSE4_1|SSE4_2|AES|PCLMULQDQ|SHA|GFNI|FXSR|AVX|AVX2|FMA|F16C|VAES|VPCLMULQDQ|AVX_VNNI)\b/;

test('every vector and x87 form of the decoder has an operation', () => {
  const missing = rows
    .filter(([opcode, , notes = '']) => VECTOR_FEATURES.test(notes) || /^(D[8-F]|9B)\b/.test(opcode))
    .map(([, syntax, notes = '']) => /=(\S+)/.exec(notes)?.[1] ?? syntax.split(' ')[0]!)
    .filter((name) => OPERATIONS[name] === undefined);
  assert.deepEqual(missing, []);
});

const native = NativeProcessor.build();

describe("the host's own processor agrees on vectors and floating point: registers, MXCSR, status word, memory and faults", {
  skip: typeof native === 'string' && native,
}, () => {
  if (typeof native === 'string') return;
  after(() => native.dispose());

  const agree = (forms: readonly FormUnderTest[], amount: Omit<Amount, 'withFx'>): void => {
    const { cases, failures } = compareForms(forms, native, { ...amount, withFx: true });
    assert.equal(cases, forms.length * amount.encodingsPerForm * amount.casesPerEncoding);
    assert.equal(failures.join('\n'), '');
  };
  const sse = { encodingsPerForm: 5, casesPerEncoding: 12 };
  const x87 = { encodingsPerForm: 2, casesPerEncoding: 40 };

  test('SSE to SSE4.2, MMX, AES and SHA in 64-bit mode', () =>
    agree(VECTOR_FORMS, { ...sse, seed: 20240611, mode: 64 }));
  test('x87 in 64-bit mode', () => agree(X87_FORMS, { ...x87, seed: 19800521, mode: 64 }));
  test('the transcendental functions, to one unit in the last place', () =>
    agree(TRANSCENDENTAL_FORMS, { encodingsPerForm: 1, casesPerEncoding: 250, seed: 1729, mode: 64 }));

  const often: Readonly<Record<string, number>> = { AVX: 3, AVX2: 3, FMA: 2 };
  for (const [key, forms] of VEX_FORMS) {
    const skip = native.lacks(featuresOf(key));
    test(`${key} in 64-bit mode`, { skip }, () =>
      agree(forms, { encodingsPerForm: often[key] ?? 10, casesPerEncoding: 12, seed: 20110109, mode: 64 }),
    );
    test(`${key} in 64-bit mode, compiled`, { skip }, () =>
      agree(forms, { encodingsPerForm: 1, casesPerEncoding: 10, seed: 20130604, mode: 64, compileAfter: 2 }),
    );
  }

  const skip = !native.runs32BitCode() && 'the kernel of this machine does not run 32-bit code';
  const offered32 = VECTOR_FORMS.filter(({ template }) => !template.startsWith('q'));
  test('SSE to SSE4.2 in 32-bit mode', { skip }, () =>
    agree(offered32, { encodingsPerForm: 2, casesPerEncoding: 10, seed: 8086, mode: 32 }),
  );
  const vex32 = [...VEX_FORMS]
    .filter(([key]) => !native.lacks(featuresOf(key)))
    .flatMap(([, forms]) => forms.filter(({ template }) => !template.startsWith('q')));
  test('VEX forms in 32-bit mode', { skip: skip || (vex32.length === 0 && 'no AVX here') }, () =>
    agree(vex32, { encodingsPerForm: 1, casesPerEncoding: 8, seed: 1985, mode: 32 }),
  );
  test('x87 in 32-bit mode', { skip }, () =>
    agree(X87_FORMS, { encodingsPerForm: 1, casesPerEncoding: 20, seed: 8087, mode: 32 }),
  );
});
