/** The ELF file inside a bzImage (Linux Documentation, "The Linux/x86 Boot Protocol": payload_offset, payload_length). */
import { readFile, writeFile } from 'node:fs/promises';
import { ProgramNotFound, runProgram } from '../src/node/index.ts';

const SETUP_SECTORS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR_BYTES = 512;
/** behind the compressed data stands the length of what it holds */
const LENGTH_BYTES = 4;
const ZSTD_MAGIC = 0xfd2f_b528;

/** Writes the kernel's ELF file; false where it cannot be had: another compression, or no zstd on the machine. */
export async function extractVmlinux(bzImage: string, to: string): Promise<boolean> {
  const image = await readFile(bzImage);
  const at = (image[SETUP_SECTORS]! + 1) * SECTOR_BYTES + image.readUInt32LE(PAYLOAD_OFFSET);
  if (image.readUInt32LE(at) !== ZSTD_MAGIC) return false;
  const packed = `${to}.zst`;
  await writeFile(packed, image.subarray(at, at + image.readUInt32LE(PAYLOAD_LENGTH) - LENGTH_BYTES));
  try {
    return (await runProgram('zstd', ['-dqf', '-o', to, packed])).status === 0;
  } catch (error) {
    if (error instanceof ProgramNotFound) return false;
    throw error;
  }
}
