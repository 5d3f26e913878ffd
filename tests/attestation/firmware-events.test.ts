/** What a firmware will measure, as far as its image says, and a log of such a boot against it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { firstDifference, hexOf, measureFirmware } from '../../src/debug/index.ts';
import { EventType, firmwareEvents, type MeasuredEvent, type TdvfSection, tdHob } from '../../src/loader/index.ts';
import { readVariables } from '../../src/loader/variable-store.ts';
import { readVariablesVolume, variablesVolume } from './variables-volume.ts';

const MIB = 1 << 20;
const GIB = 2 ** 30;
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const IMAGE_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

const section = (
  name: string,
  type: number,
  startGpa: number,
  lengthBytes: number,
  content: Uint8Array = new Uint8Array(),
) => ({ name, type, startGpa, lengthBytes, content, isMeasured: false, isAdded: true }) satisfies TdvfSection;
const sectionsWith = (variables: Uint8Array): TdvfSection[] => [
  section('CFV', 1, 0xffc0_0000, 0x8_4000, variables),
  section('TempMem', 3, 0x81_0000, 0x1_0000),
  section('TD_HOB', 2, 0x80_9000, 0x2000),
  section('TempMem', 3, 0x80_b000, 0x2000),
];

/** As real TDs under EDK2 without secure boot log them: a variable that is not there, the separator, the actions of a boot. */
const SEEN_IN_REAL_LOGS: readonly (readonly [name: string, digest: string])[] = [
  [
    'variable SecureBoot',
    '9dc3a1f80bcec915391dcda5ffbb15e7419f77eab462bbf72b42166fb70d50325e37b36f93537a863769bcf9bedae6fb',
  ],
  ['variable PK', '6f2e3cbc14f9def86980f5f66fd85e99d63e69a73014ed8a5633ce56eca5b64b692108c56110e22acadcef58c3250f1b'],
  ['variable KEK', 'd607c0efb41c0d757d69bca0615c3a9ac0b1db06c557d992e906c6b7dee40e0e031640c7bfd7bcd35844ef9edeadc6f9'],
  ['variable db', '08a74f8963b337acb6c93682f934496373679dd26af1089cb4eaf0c30cf260a12e814856385ab8843e56a9acea19e127'],
  ['variable dbx', '18cc6e01f0c6ea99aa23f8a280423e94ad81d96d0aeb5180504fc0f7a40cb3619dd39bd6a95ec1680a86ed6ab0f9828d'],
  ['separator', '394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0'],
  [
    'Calling EFI Application from Boot Option',
    '77a0dab2312b4e1e57a84d865a21e5b2ee8d677a21012ada819d0a98988078d3d740f6346bfe0abaa938ca20439a8d71',
  ],
  [
    'Exit Boot Services Invocation',
    '214b0bef1379756011344877743fdc2a5382bac6e70362d624ccf3f654407c1b4badf7d8f9295dd3dabdef65b27677e0',
  ],
  [
    'Exit Boot Services Returned with Success',
    '0a2e01c85deae718a530ad8c6d20a84009babe6c8989269e950d8cf440c6e997695e64d455c4174a652cd080f6230b74',
  ],
];

const sha384 = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest('hex');

describe('events of firmware', () => {
  const empty = variablesVolume([]);

  test('an image without keys: what real logs have', () => {
    const events = firmwareEvents(sectionsWith(empty), 512 * MIB);
    for (const [name, digest] of SEEN_IN_REAL_LOGS) {
      const event = events.find((each) => each.name === name)!;
      assert.equal(hexOf(event.digests[0]!.digest), digest, name);
    }
    const digestOf = (name: string) => hexOf(events.find((each) => each.name === name)!.digests[0]!.digest);
    assert.equal(digestOf('CFV'), sha384(empty));
    assert.equal(digestOf('TD HOB'), sha384(tdHob(sectionsWith(empty), 512 * MIB)!));
    assert.deepEqual(
      events.filter(({ digests }) => digests.length === 0).map(({ rtmr, decidedBy }) => [rtmr, decidedBy]),
      [
        [0, 'the host'],
        [0, 'the host and the firmware'],
        [1, 'the guest'],
        [2, 'the guest'],
      ],
    );
  });

  test('keys in the variable store: their data count, and secure boot is on', () => {
    const volume = variablesVolume([
      { vendor: GLOBAL, name: 'PK', data: Uint8Array.of(1, 2, 3) },
      { vendor: IMAGE_SECURITY, name: 'db', data: new Uint8Array(100).fill(7) },
      { vendor: GLOBAL, name: 'db', data: Uint8Array.of(9) },
    ]);
    const events = firmwareEvents(sectionsWith(volume), GIB);
    const textOf = (name: string) =>
      events.find((each) => each.name === `variable ${name}`)!.digests.map(({ text }) => text);
    assert.deepEqual(textOf('PK'), ['3 bytes']);
    assert.deepEqual(textOf('db'), ['100 bytes'], 'the vendor counts');
    assert.deepEqual(textOf('KEK'), ['not there']);
    const variable = (data: number[]) => {
      const bytes = Buffer.concat([
        Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex'),
        Buffer.from(BigUint64Array.of(10n, BigInt(data.length)).buffer),
        Buffer.from('SecureBoot', 'utf16le'),
        Uint8Array.from(data),
      ]);
      return sha384(bytes);
    };
    const secureBoot = events.find(({ name }) => name === 'variable SecureBoot')!;
    assert.deepEqual(
      secureBoot.digests.map(({ digest }) => hexOf(digest)),
      [variable([]), variable([1])],
    );
    const none = firmwareEvents(sectionsWith(new Uint8Array(0x1000)), GIB);
    assert.ok(none.filter(({ name }) => name.startsWith('variable')).every(({ digests }) => digests.length === 0));
  });

  test('the TD HOB: RAM between and beside what the host has added; above 2.75 GiB it is split', () => {
    const resources = (memoryBytes: number) => {
      const bytes = tdHob(sectionsWith(empty), memoryBytes)!;
      const view = new DataView(bytes.buffer);
      assert.equal(Number(view.getBigUint64(48, true)), 0x80_9000 + bytes.length + 8);
      return Array.from({ length: (bytes.length - 56) / 48 }, (_, i) => {
        const at = 56 + 48 * i;
        assert.deepEqual(
          [view.getUint16(at, true), view.getUint16(at + 2, true), view.getUint32(at + 28, true)],
          [3, 48, 7],
        );
        return [
          view.getUint32(at + 24, true),
          Number(view.getBigUint64(at + 32, true)),
          Number(view.getBigUint64(at + 40, true)),
        ];
      });
    };
    const low = [
      [7, 0, 0x80_9000],
      [0, 0x80_9000, 0x2000],
      [0, 0x80_b000, 0x2000],
      [7, 0x80_d000, 0x3000],
      [0, 0x81_0000, 0x1_0000],
    ];
    assert.deepEqual(resources(512 * MIB), [...low, [7, 0x82_0000, 512 * MIB - 0x82_0000]]);
    assert.deepEqual(resources(4 * GIB), [...low, [7, 0x82_0000, 2 * GIB - 0x82_0000], [7, 4 * GIB, 2 * GIB]]);
    assert.equal(tdHob([], GIB), undefined);
  });

  test('a damaged variable store is read as far as it goes', () => {
    const volume = variablesVolume([{ vendor: GLOBAL, name: 'PK', data: new Uint8Array(40) }]);
    assert.equal(readVariablesVolume(volume).length, 1);
    fc.assert(
      fc.property(fc.nat(volume.length - 1), fc.nat(255), fc.nat(volume.length), (at, value, length) => {
        const damaged = volume.slice();
        damaged[at] = value;
        readVariables(damaged.subarray(0, length));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('an event log of such a boot', () => {
  const sections = sectionsWith(variablesVolume([]));
  const predicted = measureFirmware(sections, 'page-by-page', 512 * MIB);
  const utf16 = (text: string) => new Uint8Array(Buffer.from(text, 'utf16le'));
  /** As firmware logs: what the image says, and what others decide in between. */
  const log = (): MeasuredEvent[] =>
    predicted.firmwareEvents!.map(({ rtmr, type, name, variable, digests }) => {
      const data = variable === undefined ? new TextEncoder().encode(name) : new Uint8Array(32 + 2 * variable.length);
      if (variable !== undefined) {
        data[16] = variable.length;
        data.set(utf16(variable), 32);
      }
      return { rtmr, type, data, digest: digests[0]?.digest ?? new Uint8Array(48).fill(0xee) };
    });
  const difference = (events: readonly MeasuredEvent[]) => firstDifference(predicted, { kind: 'event log', events });

  test('says the same, with whatever others measure', () => {
    assert.equal(difference(log()), undefined);
    const more = log();
    more.splice(2, 0, {
      rtmr: 0,
      type: EventType.PLATFORM_CONFIG_FLAGS,
      data: new Uint8Array(),
      digest: new Uint8Array(48),
    });
    assert.equal(difference(more), undefined);
  });

  test('or is told from it: another digest, another order, a missing event', () => {
    for (const [index, event] of predicted.firmwareEvents!.entries()) {
      if (event.digests.length === 0) continue;
      const changed = log();
      changed[index] = { ...changed[index]!, digest: new Uint8Array(48).fill(1) };
      assert.match(difference(changed)!, new RegExp(`${event.name}, has the digest .* here and (01){48} in the log`));
      const without = log().filter((_, at) => at !== index);
      assert.ok(difference(without) !== undefined, event.name);
    }
    const swapped = log();
    [swapped[3], swapped[4]] = [swapped[4]!, swapped[3]!];
    assert.match(difference(swapped)!, /variable (PK|KEK), is missing in the log/);
  });
});
