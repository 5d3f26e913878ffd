/** TDG.VP.VMCALL<Service>: buffers, GUIDs, statuses, the interrupt at the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TdvmcallStatus } from '../../src/abi/index.ts';
import {
  after,
  answers,
  type Bench,
  bench,
  POWER_OFF,
  profile,
  SHARED_BIT,
  type Step,
  tdvmcall,
} from './scripted-module.ts';

const { SUCCESS, INVALID_OPERAND, ALIGN_ERROR, SUBFUNC_UNSUPPORTED } = TdvmcallStatus;
const COMMAND = SHARED_BIT + 0x10_0000;
const RESPONSE = SHARED_BIT + 0x10_1000;
const SHARE = tdvmcall(0x10001, COMMAND, 0x2000);
const QUERY = 'fb6fc5e1-3378-4acb-8964-fa5ee43b9c8a';
const MIG_TD = 'e60e6330-1e09-4387-a444-8f32b8d611e5';

/** A GUID as it lies in memory. */
function guid(text: string): number[] {
  const [a, b, c, d, e] = text.split('-').map((part) => part.match(/../g)!.map((byte) => Number.parseInt(byte, 16)));
  return [...a!.reverse(), ...b!.reverse(), ...c!.reverse(), ...d!, ...e!];
}

const word = (value: number) => [...new Uint8Array(new Uint32Array([value]).buffer)];

interface Buffers {
  readonly service?: string;
  readonly commandBytes?: number;
  readonly responseBytes?: number;
  readonly data?: number[];
}

/** Fills both buffers, then calls with R14 = vector. */
const call =
  (
    host: Bench,
    { service = QUERY, data = [], commandBytes = 24 + data.length, responseBytes = 0x1000 }: Buffers,
    vector = 0,
  ): Step =>
  (registers) => {
    host.td.sharedMemory.write(
      COMMAND,
      Uint8Array.from([...guid(service), ...word(commandBytes), ...word(0), ...data]),
    );
    host.td.sharedMemory.write(RESPONSE, Uint8Array.from([...guid(service), ...word(responseBytes), ...word(0)]));
    tdvmcall(0x10005, COMMAND, RESPONSE, vector, 1000)(registers);
  };

function response(host: Bench) {
  const bytes = host.td.sharedMemory.read(RESPONSE, 0x100)!;
  const view = new DataView(bytes.buffer);
  const lengthBytes = view.getUint32(16, true);
  return {
    guid: [...bytes.subarray(0, 16)],
    status: view.getUint32(20, true),
    data: [...bytes.subarray(24, lengthBytes)],
  };
}

const strict = () => bench({ profile: profile('strict') });
const query = (asked: string) => [0, 0, 0, 0, ...guid(asked)];

/** Status and data of the response, the call itself having succeeded. */
function ask(buffers: Buffers) {
  const host = strict();
  const [, called] = answers(host, SHARE, call(host, buffers));
  assert.equal(called![0], SUCCESS);
  const { status, data } = response(host);
  return { status, data };
}

test('a query for the query service says that it is there; for others, that they are not', () => {
  assert.deepEqual(ask({ data: query(QUERY) }), { status: 0, data: [0, 0, 0, 0, ...guid(QUERY)] });
  for (const service of [MIG_TD, 'c3c87a08-3b4a-41ad-a52d-96f13cf89a66', '00000000-0000-0000-0000-000000000000'])
    assert.deepEqual(ask({ data: query(service) }), { status: 0, data: [0, 0, 1, 0, ...guid(service)] });
});

test('services that are not there, and queries of another version or command, are unsupported', () => {
  const unsupported = { status: 0xffff_fffe, data: [] };
  assert.deepEqual(ask({ service: MIG_TD, data: [0, 1, 0, 0] }), unsupported);
  assert.deepEqual(ask({ data: [1, ...query(QUERY).slice(1)] }), unsupported);
  assert.deepEqual(ask({ data: [0, 1, ...query(QUERY).slice(2)] }), unsupported);
});

test('lengths that make no sense are told in the response', () => {
  assert.equal(ask({ data: query(QUERY), commandBytes: 23 }).status, 4);
  assert.equal(ask({ data: query(QUERY), commandBytes: 0xffff_ffff }).status, 4);
  assert.equal(ask({ data: query(QUERY), commandBytes: 0x3000 }).status, 4, 'past what is shared');
  assert.equal(ask({ data: query(QUERY).slice(0, 19) }).status, 4);
  assert.equal(ask({ data: query(QUERY), responseBytes: 23 }).status, 5);
  assert.equal(ask({ data: query(QUERY), responseBytes: 43 }).status, 5);
});

test('operands: both buffers shared and on page boundaries, the vector 0 or one for an interrupt', () => {
  const status = (...operands: (number | bigint)[]) => answers(strict(), SHARE, tdvmcall(0x10005, ...operands))[1]![0];
  assert.equal(status(COMMAND - SHARED_BIT, RESPONSE, 0, 0), INVALID_OPERAND);
  assert.equal(status(COMMAND, RESPONSE - SHARED_BIT, 0, 0), INVALID_OPERAND);
  assert.equal(status(2n ** 63n, RESPONSE, 0, 0), INVALID_OPERAND);
  for (const vector of [1, 31, 256, 2n ** 40n]) assert.equal(status(COMMAND, RESPONSE, vector, 0), INVALID_OPERAND);
  assert.equal(status(COMMAND + 8, RESPONSE, 0, 0), ALIGN_ERROR);
  assert.equal(status(COMMAND, RESPONSE + 0x800, 0, 0), ALIGN_ERROR);
  assert.equal(status(SHARED_BIT + 0x20_0000, RESPONSE, 0, 0), INVALID_OPERAND, 'not shared yet');
  assert.equal(status(COMMAND, SHARED_BIT + 0x20_0000, 0, 0), INVALID_OPERAND);
});

test('with a vector the call returns at once, and the interrupt comes when the response is there', () => {
  const host = strict();
  const seen: unknown[] = [];
  const look = (next: Step): Step =>
    after(() => void seen.push(response(host).status, host.module.posted.length), next);
  host.run([SHARE, call(host, { data: query(QUERY) }, 0x51), look(tdvmcall(0x0c, 0)), look(POWER_OFF)]);
  assert.deepEqual(seen, [0xffff_ffff, 0, 0, 1]);
  assert.deepEqual(host.module.posted, [[host.td.vcpus[0]!.tdvprHpa, 0x51]]);
});

test('a response buffer that is gone when the response is due gets nothing; the interrupt comes all the same', () => {
  const host = strict();
  host.run([
    SHARE,
    call(host, { data: query(QUERY) }, 0x51),
    tdvmcall(0x10001, COMMAND - SHARED_BIT, 0x2000),
    tdvmcall(0x0c, 0),
    POWER_OFF,
  ]);
  assert.equal(host.td.sharedMemory.isMapped(0x10_1000), false);
  assert.equal(host.module.posted.length, 1);
});

test('other hosts know no services', () => {
  const ask = (name: Parameters<typeof profile>[0]) => {
    const host = bench({ profile: profile(name) });
    return answers(host, SHARE, call(host, { data: query(QUERY) }))[1]![0];
  };
  assert.deepEqual(
    [ask('qemu'), ask('cloud-hypervisor'), ask('hyperv-like')],
    [SUBFUNC_UNSUPPORTED, SUBFUNC_UNSUPPORTED, INVALID_OPERAND],
  );
});
