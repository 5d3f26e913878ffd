/** Objects that no one here wrote: `arch/x86/coco/tdx/tdcall.S` of Debian's kernel sources, assembled on this machine. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HypercallRegisters, ModuleOutput, type RegisterStructure, registerStructure } from '../../guests/index.ts';
import type { LinkedObject, NamedFile } from '../../src/loader/index.ts';
import { AptUnavailable, cacheDirectory, ProgramNotFound } from '../../src/node/index.ts';
import { type LinuxSource, program, SOURCE_6_1, SOURCE_6_12, unpackedSource } from '../linux-source.ts';
import type { ObjectOrSkip } from './two-calls-cases.ts';

/** `struct tdx_module_args` of 6.12: input and output of every call. */
export const TdxModuleArgs = registerStructure(
  'rcx',
  'rdx',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rbx',
  'rdi',
  'rsi',
);

interface TdcallSource extends LinuxSource {
  readonly structures: Readonly<Record<string, RegisterStructure<never>>>;
}

const structure = (one: unknown) => one as RegisterStructure<never>;

export const LINUX_6_1: TdcallSource = {
  ...SOURCE_6_1,
  structures: { TDX_MODULE: structure(ModuleOutput), TDX_HYPERCALL: structure(HypercallRegisters) },
};
export const LINUX_6_12: TdcallSource = {
  ...SOURCE_6_12,
  structures: { TDX_MODULE: structure(TdxModuleArgs) },
};

const CONFIGURATION = `
#define CONFIG_64BIT 1
#define CONFIG_X86_64 1
#define CONFIG_X86 1
#define CONFIG_INTEL_TDX_GUEST 1
#define CONFIG_CC_IS_GCC 1
#define CONFIG_GCC_VERSION 120200
#define CONFIG_FUNCTION_ALIGNMENT 16
`;
/** Headers that kbuild would generate. */
const GENERIC_HEADERS = ['types', 'errno', 'rwonce', 'export'];

const found = new Map<TdcallSource, Promise<ObjectOrSkip>>();

/** The assembled object from the user's cache, or fetched and assembled into it; `skip` says why not. */
export function linuxTdcall(source: TdcallSource): Promise<ObjectOrSkip> {
  const known = found.get(source) ?? obtain(source);
  found.set(source, known);
  return known;
}

async function obtain(source: TdcallSource): Promise<ObjectOrSkip> {
  const directory = join(cacheDirectory(), 'exec', `linux-${source.version}`);
  const object = join(directory, 'tdcall.o');
  try {
    if (!existsSync(object)) await assemble(await unpackedSource(source), source, object);
    return { object: { name: `tdcall.o of Linux ${source.version}`, bytes: new Uint8Array(await readFile(object)) } };
  } catch (error) {
    if (error instanceof AptUnavailable || error instanceof ProgramNotFound) return { skip: error.message };
    throw error;
  }
}

async function assemble(tree: string, source: TdcallSource, object: string): Promise<void> {
  const generated = join(tree, 'generated-here');
  await mkdir(join(generated, 'generated'), { recursive: true });
  await mkdir(join(generated, 'asm'), { recursive: true });
  await writeFile(join(generated, 'generated/autoconf.h'), CONFIGURATION);
  const offsets = Object.entries(source.structures).flatMap(([prefix, { names, offsetOf }]) =>
    names.map((name) => `#define ${prefix}_${name} ${offsetOf(name)}\n`),
  );
  await writeFile(join(generated, 'asm/asm-offsets.h'), offsets.join(''));
  for (const name of GENERIC_HEADERS)
    await writeFile(join(generated, `asm/${name}.h`), `#include <asm-generic/${name}.h>\n`);
  const includes = [
    generated,
    ...['arch/x86/include', 'include', 'arch/x86/include/uapi', 'include/uapi'].map((path) => join(tree, path)),
  ];
  await program('gcc', [
    '-c',
    '-nostdinc',
    ...includes.map((path) => `-I${path}`),
    ...['-include', join(tree, 'include/linux/kconfig.h')],
    ...['-D__KERNEL__', '-D__ASSEMBLY__', '-m64', '-fno-PIE'],
    ...['-o', `${object}.part`, join(tree, 'arch/x86/coco/tdx/tdcall.S')],
  ]);
  await rename(`${object}.part`, object);
}

/** MOV ECX, 0xFC00: the mask of `__tdx_hypercall` */
const LOAD_MASK = [0xb9, 0x00, 0xfc, 0x00, 0x00];

/** The same code with RAX in its mask, which the module refuses: what a wrong caller or a broken module would bring about. */
export function withWrongMask<T extends NamedFile | LinkedObject>(object: T): T {
  const patched = (bytes: Uint8Array) => {
    const at = bytes.findIndex((_, index) => LOAD_MASK.every((byte, offset) => bytes[index + offset] === byte));
    if (at < 0) throw new Error('no MOV ECX, 0xFC00 in the object');
    return bytes.with(at + 1, 0x01);
  };
  if ('bytes' in object) return { ...object, bytes: patched(object.bytes) };
  return { ...object, pieces: object.pieces.map((piece) => ({ ...piece, content: patched(piece.content) })) };
}
