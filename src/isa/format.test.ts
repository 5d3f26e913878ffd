import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecoderOptions, Formatter, FormatterSyntax, Decoder as IcedDecoder } from 'iced-x86';
import { createInstruction, DecodeResult, Decoder } from './decode.ts';
import { formatInstruction } from './format.ts';

const decoder = new Decoder();
const instruction = createInstruction();

function ours(text: string, mode: 32 | 64, address?: bigint): string {
  const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
  assert.equal(decoder.decode(bytes, 0, bytes.length, mode, instruction), DecodeResult.Ok, text);
  return formatInstruction(instruction, address === undefined ? {} : { address });
}

function theirs(text: string, mode: 32 | 64, address: bigint): string {
  const iced = new IcedDecoder(mode, Uint8Array.from(Buffer.from(text, 'hex')), DecoderOptions.None);
  iced.ip = address;
  const formatter = new Formatter(FormatterSyntax.Intel);
  formatter.spaceAfterOperandSeparator = true;
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.branchLeadingZeros = false;
  formatter.showBranchSize = false;
  return formatter.format(iced.decode());
}

test('64-bit code reads as in another disassembler', () => {
  const samples = [
    '488b45f0',
    '48894df0',
    '4889e5',
    '8b84cb00010000',
    'c70005000000',
    '48c700ffffffff',
    'c60007',
    '66c7000700',
    'f0ff07',
    'f0480fb111',
    '480fb6c0',
    '0fb606',
    '0fb706',
    '4863c1',
    '4883e4f0',
    '75fe',
    'e800010000',
    'ff2500100000',
    '488d3d10000000',
    '65488b042510000000',
    '64a11000000000000000',
    '48b88877665544332211',
    'cd80',
    'c8100001',
    '0f22d8',
    '410f20c0',
    '0f05',
    'f30f1efa',
    '660f01cc',
    '0fa2',
    '0f30',
    'e460',
    'ed',
    'c1e005',
    'd3e0',
    'd320',
    'd020',
    '0fa4d004',
    '660f6f06',
    'f30f1006',
    'f20f2ac0',
    'f2480f2a00',
    '0f1006',
    '660fefc0',
    'ff30',
    '6a01',
    '58',
    'c3',
    'c20800',
    '0f94c0',
    '480f44c1',
    '0fc8',
    '0fae38',
    '0f0118',
    '488b04cd00000000',
    'f4',
    '678b00',
    'd9e8',
    '0f0b',
    '87d8',
    '880424',
    '8a6502',
    '48cf',
    '0f01f8',
    '69c100010000',
  ];
  for (const text of samples) {
    const expected = theirs(text, 64, 0x401000n);
    const actual = ours(text, 64, 0x401000n);
    // we also say the size of a scalar or tbyte operand, which iced leaves to the mnemonic
    assert.equal(expected.includes(' ptr ') ? actual : actual.replace(/\w+ ptr /, ''), expected, text);
  }
});

test('32-bit code, far transfers', () => {
  for (const text of ['8b4508', 'a100100000', '0f0115001000ff', '6689d8', 'eb10', '668b00', '67668b07', '50', '61']) {
    assert.equal(ours(text, 32, 0xffff0000n), theirs(text, 32, 0xffff0000n), text);
  }
  assert.equal(ours('ea1000ffff0800', 32), 'jmp far 8:0xffff0010');
  assert.equal(ours('ff28', 32), 'jmp far fword ptr [eax]');
});

test('x87 operands are written as the SDM lists them', () => {
  assert.equal(ours('dd00', 64), 'fld qword ptr [rax]');
  assert.equal(ours('db28', 64), 'fld tbyte ptr [rax]');
  assert.equal(ours('d8c1', 64), 'fadd st(0), st(1)');
  assert.equal(ours('dec1', 64), 'faddp st(1), st(0)');
});

test('a widening load says what it reads', () => {
  assert.equal(ours('486300', 64), 'movsxd rax, dword ptr [rax]');
  assert.equal(ours('f30f1006', 64), 'movss xmm0, dword ptr [rsi]');
});

test('string instructions have no operands, repeats have their own names', () => {
  assert.equal(ours('f3a4', 64), 'rep movsb');
  assert.equal(ours('f348ab', 64), 'rep stosq');
  assert.equal(ours('f3a6', 64), 'repe cmpsb');
  assert.equal(ours('f2ae', 64), 'repne scasb');
});

test('addresses: relative without one, names where a symbol is known', () => {
  assert.equal(ours('75fe', 64), 'jne $+0');
  const bytes = Uint8Array.from([0xe8, 0, 1, 0, 0]);
  decoder.decode(bytes, 0, bytes.length, 64, instruction);
  const symbol = (address: bigint) => (address === 0x1105n ? 'start_kernel' : undefined);
  assert.equal(formatInstruction(instruction, { address: 0x1000n, symbol }), 'call start_kernel');
});
