/** A small encoder of ACPI Machine Language: values in, bytes out (ACPI 6.5, section 20.2 "AML Grammar Definition"). */

export type Aml = readonly number[];

const Op = {
  Zero: 0x00,
  One: 0x01,
  Name: 0x08,
  Byte: 0x0a,
  Word: 0x0b,
  Dword: 0x0c,
  Text: 0x0d,
  Scope: 0x10,
  Buffer: 0x11,
  Package: 0x12,
} as const;
const EXTENDED_PREFIX = 0x5b;
const DEVICE = 0x82;

/** An unsigned integer below 2^32 in its shortest form. */
export function integer(value: number): Aml {
  if (value === 0) return [Op.Zero];
  if (value === 1) return [Op.One];
  if (value < 0x100) return [Op.Byte, value];
  if (value < 0x1_0000) return [Op.Word, ...le16(value)];
  return [Op.Dword, ...le32(value)];
}

export function text(value: string): Aml {
  return [Op.Text, ...new TextEncoder().encode(value), 0];
}

/** A name such as "_S5" or "\_SB": segments are padded to four characters with underscores. */
function namePath(path: string): Aml {
  const rooted = path.startsWith('\\');
  const segment = (rooted ? path.slice(1) : path).padEnd(4, '_');
  return [...(rooted ? [0x5c] : []), ...new TextEncoder().encode(segment)];
}

export function name(path: string, value: Aml): Aml {
  return [Op.Name, ...namePath(path), ...value];
}

export function scope(path: string, ...terms: Aml[]): Aml {
  return [Op.Scope, ...withLength([...namePath(path), ...terms.flat()])];
}

export function device(path: string, ...terms: Aml[]): Aml {
  return [EXTENDED_PREFIX, DEVICE, ...withLength([...namePath(path), ...terms.flat()])];
}

/** "Package" of the specification: a fixed list of values. */
export function list(...elements: Aml[]): Aml {
  return [Op.Package, ...withLength([elements.length, ...elements.flat()])];
}

export function buffer(bytes: Aml): Aml {
  return [Op.Buffer, ...withLength([...integer(bytes.length), ...bytes])];
}

/** A seven-character identifier such as "PNP0501", compressed to 32 bits (section 19.3.4 "EISAID"). */
export function eisaId(id: string): Aml {
  const letter = (index: number) => id.charCodeAt(index) - 0x40;
  const maker = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = Number.parseInt(id.slice(3), 16);
  return [Op.Dword, maker >> 8, maker & 0xff, product >> 8, product & 0xff];
}

/** "_CRS" contents: descriptors and the end tag (section 6.4 "Resource Data Types for ACPI"). */
export function resourceTemplate(...descriptors: Aml[]): Aml {
  return buffer([...descriptors.flat(), 0x79, 0]);
}

/** A fixed range of I/O ports with 16 decoded address bits. */
export function ioPorts(first: number, count: number): Aml {
  return [0x47, 1, ...le16(first), ...le16(first), 1, count];
}

export function memory32Fixed(address: number, lengthBytes: number): Aml {
  return [0x86, ...le16(9), 1, ...le32(address), ...le32(lengthBytes)];
}

/** One interrupt: consumer, edge-triggered, active high, exclusive. */
export function edgeInterrupt(globalInterrupt: number): Aml {
  return [0x89, ...le16(6), 0b0011, 1, ...le32(globalInterrupt)];
}

/** PkgLength counts itself: one byte up to 63, then a nibble and one to three further bytes. */
function withLength(body: Aml): Aml {
  if (body.length + 1 < 0x40) return [body.length + 1, ...body];
  const extra = body.length + 2 < 1 << 12 ? 1 : body.length + 3 < 1 << 20 ? 2 : 3;
  const total = body.length + 1 + extra;
  const high = Array.from({ length: extra }, (_, index) => (total >> (4 + 8 * index)) & 0xff);
  return [(extra << 6) | (total & 15), ...high, ...body];
}

function le16(value: number): Aml {
  return [value & 0xff, (value >> 8) & 0xff];
}

function le32(value: number): Aml {
  return [...le16(value), ...le16(value >>> 16)];
}
