/** A processor in flat 64-bit mode for the tests of this folder: identity map, HLT, RDTSC, nothing else of the system. */
import { HostMemory } from '../../memory/index.ts';
import { Clock } from '../../time/index.ts';
import { Cpu } from '../cpu.ts';
import { baseAndTimeOperations } from '../exec/host/bases-and-time.ts';
import { integerOperations } from '../exec/integer.ts';
import type { OperationTable } from '../exec/sem.ts';
import { ExitReason } from '../exit.ts';
import { S } from '../state.ts';
import { Engine, type EngineOptions } from './engine.ts';

const hlt: OperationTable = {
  HLT: {
    host: (cpu, instruction) => {
      cpu.leave(ExitReason.Hlt, instruction);
    },
    endsBlock: true,
  },
};

export interface FlatBench {
  cpu: Cpu;
  engine: Engine;
  clock: Clock;
  memory: HostMemory;
  /** host = guest physical = linear address where programs go */
  at: number;
  /** maps a 4 KiB page of the linear range from 8 GiB on to a host page */
  map(linear: number, host: number): void;
}

/** Identity map of 4 GiB by 2 MiB pages, and a table of 4 KiB pages for the linear range from 8 GiB on. */
export function flatBench(options: EngineOptions & { ramBytes?: number; operations?: OperationTable } = {}): FlatBench {
  const memory = new HostMemory(options.ramBytes ?? 16 << 20);
  const clock = new Clock();
  const operations = { ...integerOperations, ...baseAndTimeOperations, ...hlt, ...options.operations };
  const engine = new Engine(memory, operations, options);
  const cpu = new Cpu({ engine, index: 0, clock, entropy: { next32: () => 7 } });
  const tables = memory.ramBase;
  const put = (at: number, value: number): void => memory.view.setUint32(at, value >>> 0, true);
  put(tables, tables + 0x1003);
  for (let gigabyte = 0; gigabyte < 4; gigabyte++) {
    put(tables + 0x1000 + gigabyte * 8, tables + 0x2003 + gigabyte * 0x1000);
    for (let i = 0; i < 512; i++)
      put(tables + 0x2000 + gigabyte * 0x1000 + i * 8, (gigabyte * 512 + i) * 0x20_0000 + 0x83);
  }
  put(tables + 0x1000 + 8 * 8, tables + 0x8003);
  put(tables + 0x8000, tables + 0x9003);
  const { state } = cpu;
  state.set(S.cr3, tables, 0);
  state.setLow(S.cr0, 0x8001_0031 | 0);
  state.setLow(S.cr4, 0x20);
  state.setLow(S.efer, 0xd01);
  state.setLow(S.segmentRights + 4, 0xa09b);
  state.setLow(S.segmentRights + 8, 0xc093);
  cpu.modeChanged();
  const map = (linear: number, host: number): void => put(tables + 0x9000 + ((linear >>> 12) & 511) * 8, host + 3);
  return { cpu, engine, clock, memory, at: memory.ramBase + 0x10_0000, map };
}
