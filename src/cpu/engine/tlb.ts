/** Shape of the software TLBs: per processor, per privilege, direct-mapped, checked inline by generated code. */

export const DATA_TLB_ENTRIES = 1024;
/** i64 read tag, i64 write tag, i32 addend (host address = low 32 bits of linear + addend), i32 global or not, u32 host page, 4 bytes unused */
export const DATA_TLB_ENTRY_BYTES = 32;
/** offsets of the tags in an entry */
export const READ_TAG = 0;
export const WRITE_TAG = 8;
/** A tag that no access has: not the page of a byte, and not what an aligned access to a quick entry compares, which has bits 11:5 clear. */
export const INVALID_TAG = 0x800;
/** offset of the addend */
export const ADDEND = 16;
/**
 * Behind the entries: copies of some of them, each for some places in compiled code that tend to stay in one page. Such a place finds its copy without
 * computing where; a copy holds only as long as its entry.
 */
export const QUICK_ENTRIES = 16;
/** offset of the first one in a data TLB */
export const QUICK_OFFSET = DATA_TLB_ENTRIES * DATA_TLB_ENTRY_BYTES;
export const DATA_TLB_BYTES = QUICK_OFFSET + QUICK_ENTRIES * DATA_TLB_ENTRY_BYTES;
export const CODE_TLB_ENTRIES = 4096;
/** i64 tag, u32 table of records by page offset, u32 host page with bit 0 set if the translation is global */
export const CODE_TLB_ENTRY_BYTES = 16;
export const CODE_TLB_BYTES = CODE_TLB_ENTRIES * CODE_TLB_ENTRY_BYTES;

/** Entries that a flush goes to one by one; when there are more it looks at all. */
export const LOCAL_FILLS = 1024;

/** Privileges with TLBs of their own. */
export const TlbContext = { User: 0, Supervisor: 1, SupervisorWithAc: 2 } as const;

/** Bits above those that choose the entry are mixed in, so that buffers a power of two apart do not share their entries. */
export const DATA_INDEX_MIX_SHIFT = 10;
/** from a page's number to the entry's offset */
export const DATA_INDEX_SHIFT = 7;
export const DATA_INDEX_MASK = (DATA_TLB_ENTRIES - 1) << 5;

/** Offset within a data TLB of the entry for a linear address. */
export const dataEntryOffset = (low: number): number =>
  ((low ^ (low >>> DATA_INDEX_MIX_SHIFT)) >>> DATA_INDEX_SHIFT) & DATA_INDEX_MASK;
export const codeEntryOffset = (low: number): number => (low >>> 8) & ((CODE_TLB_ENTRIES - 1) << 4);
