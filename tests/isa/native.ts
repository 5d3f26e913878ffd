/** Builds native.c and runs batches on the host's own processor. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstructionFeature } from '../../src/isa/index.ts';
import { root } from '../repository.ts';
import { Batch, CROSSING_WINDOW } from './batch.ts';

/** Linux's names of features, where they are not ours in lower case. */
const CPUINFO_NAMES: Partial<Record<InstructionFeature, string>> = { LZCNT: 'abm', SHA: 'sha_ni' };

/** The harness on this computer, or the reason why there is none. */
export class NativeProcessor {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static build(): NativeProcessor | string {
    if (process.arch !== 'x64') return `the host is ${process.arch}, not x86-64`;
    if (process.platform !== 'linux') return `the harness needs Linux signals, and this is ${process.platform}`;
    const directory = mkdtempSync(join(tmpdir(), 'native-'));
    const source = join(root, 'tests', 'isa', 'native.c');
    const built = spawnSync('cc', ['-O1', '-Wall', '-Wextra', '-o', join(directory, 'native'), source], {
      encoding: 'utf8',
    });
    if (built.error !== undefined) {
      rmSync(directory, { recursive: true });
      return 'there is no C compiler (cc)';
    }
    if (built.status !== 0) throw new Error(`native.c did not compile:\n${built.stderr}`);
    return new NativeProcessor(directory);
  }

  /** The state after each case, laid out as `batch.records`. */
  run(batch: Batch): ArrayBuffer {
    const result = spawnSync(join(this.#directory, 'native'), [], {
      input: batch.serialize(),
      maxBuffer: batch.records.byteLength + 65536,
    });
    const { stdout } = result;
    if (result.status !== 0 || stdout.length !== batch.records.byteLength)
      throw new Error(`the native harness ended with ${result.signal ?? result.status}: ${result.stderr.toString()}`);
    return stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length) as ArrayBuffer;
  }

  /** Does the kernel let a 64-bit process execute 32-bit code? Not every virtual machine does. */
  runs32BitCode(): boolean {
    const nop = { bytes: Uint8Array.of(0x90), mode: 32, text: 'NOP' } as const;
    const batch = new Batch([nop], 1);
    const input = batch.input(0);
    input.windowAddress = CROSSING_WINDOW;
    input.rflags = 0x202;
    const { vector, rip } = batch.at(this.run(batch), 0);
    return vector === 3 && rip === 1;
  }

  /** Why forms of these features cannot run here; false if they can. */
  lacks(features: readonly InstructionFeature[]): string | false {
    const flags = new Set(/^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '));
    const absent = features.filter((feature) => !flags.has(CPUINFO_NAMES[feature] ?? feature.toLowerCase()));
    return absent.length > 0 && `the host's processor has no ${absent.join(', ')}`;
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
