/*
 * Executes single instructions on the processor it runs on (x86-64 Linux).
 *
 * stdin: u32 slots, u32 cases, u32 flags (bit 0: records carry an FXSAVE image and the upper halves of YMM registers), u32 0;
 *        per slot: u32 length, u32 mode (64 or 32), 16 bytes of code;
 *        per case: a state record (tests/isa/batch.ts). stdout: per case a state record.
 *
 * No assembly: a slot is surrounded by INT3, so each case ends in a signal, whose handler stores the interrupted registers
 * as the result and returns into the registers of the next case. What faults ends in a signal too, with its vector.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE_BASE 0x10000000ul
#define SLOT_BYTES 64
#define SLOT_ENTRY 32
#define DATA_BASE 0x20000000ul
#define DATA_BYTES 0x4000
#define WINDOW_BYTES 256
#define FX_BYTES 512
/* of the image: control words, registers; beyond is the kernel's */
#define FX_STATE_BYTES 416
#define UPPER_BYTES 256
/* of the XSAVE area behind the image, whose standard format signal frames have */
#define XSTATE_BV 512
#define UPPER_OFFSET 576
/* in the kernel's part of the image: there is an XSAVE area, and these are its components */
#define MAGIC_OFFSET 464
#define MAGIC 0x46505853u
#define COMPONENTS_OFFSET 472
#define COMPONENT_AVX 4u

struct slot {
  uint32_t length;
  uint32_t mode;
  uint8_t code[16];
};

struct record {
  /* input: slot; output: vector */
  uint32_t slot_or_vector;
  /* input: linear address of the window; output: error code */
  uint32_t window_or_error;
  uint32_t rflags;
  /* output: RIP from the start of the instruction */
  int32_t rip;
  uint64_t gpr[16];
  uint8_t window[WINDOW_BYTES];
  uint8_t fx[FX_BYTES];
  uint8_t upper[UPPER_BYTES];
};

static const int GREG[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                             REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct slot *slots;
static uint8_t *records;
static uint32_t case_count, with_fx;
static size_t record_bytes;
static uint32_t current = UINT32_MAX;
static uint32_t current_slot, current_window;

static struct record *record_at(uint32_t number) { return (struct record *)(records + (size_t)number * record_bytes); }

static uint64_t entry_of(uint32_t slot) { return CODE_BASE + (uint64_t)slot * SLOT_BYTES + SLOT_ENTRY; }

static void write_all(const uint8_t *bytes, size_t left) {
  while (left > 0) {
    ssize_t done = write(1, bytes, left);
    if (done <= 0) _exit(3);
    bytes += done;
    left -= (size_t)done;
  }
}

static int has_upper_halves(const uint8_t *fx) {
  uint32_t magic;
  uint64_t components;
  memcpy(&magic, fx + MAGIC_OFFSET, sizeof magic);
  memcpy(&components, fx + COMPONENTS_OFFSET, sizeof components);
  return magic == MAGIC && (components & COMPONENT_AVX) != 0;
}

static void take_vectors(struct record *result, const uint8_t *fx) {
  memcpy(result->fx, fx, FX_STATE_BYTES);
  if (!has_upper_halves(fx)) return;
  uint64_t present;
  memcpy(&present, fx + XSTATE_BV, sizeof present);
  if (present & COMPONENT_AVX) memcpy(result->upper, fx + UPPER_OFFSET, UPPER_BYTES);
  else memset(result->upper, 0, UPPER_BYTES);
}

static void give_vectors(uint8_t *fx, const struct record *next) {
  memcpy(fx, next->fx, FX_STATE_BYTES);
  /* x87 and SSE are not in their initial state */
  uint64_t present;
  memcpy(&present, fx + XSTATE_BV, sizeof present);
  present |= 3;
  if (has_upper_halves(fx)) {
    memcpy(fx + UPPER_OFFSET, next->upper, UPPER_BYTES);
    present |= COMPONENT_AVX;
  }
  memcpy(fx + XSTATE_BV, &present, sizeof present);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
  uint8_t *fx = (uint8_t *)machine->fpregs;
  if (current != UINT32_MAX) {
    struct record *result = record_at(current);
    uint32_t vector = (uint32_t)machine->gregs[REG_TRAPNO];
    result->slot_or_vector = vector;
    result->window_or_error = (uint32_t)machine->gregs[REG_ERR];
    result->rflags = (uint32_t)machine->gregs[REG_EFL];
    result->rip = (int32_t)((uint64_t)machine->gregs[REG_RIP] - (vector == 3) - entry_of(current_slot));
    for (int i = 0; i < 16; i++) result->gpr[i] = (uint64_t)machine->gregs[GREG[i]];
    memcpy(result->window, (void *)(uintptr_t)current_window, WINDOW_BYTES);
    if (with_fx) take_vectors(result, fx);
  }
  if (++current == case_count) {
    write_all(records, record_bytes * case_count);
    _exit(0);
  }
  struct record *next = record_at(current);
  current_slot = next->slot_or_vector;
  current_window = next->window_or_error;
  for (int i = 0; i < 16; i++) machine->gregs[GREG[i]] = (greg_t)next->gpr[i];
  machine->gregs[REG_EFL] = next->rflags;
  machine->gregs[REG_RIP] = (greg_t)entry_of(current_slot);
  uint64_t selectors = slots[current_slot].mode == 32 ? 0x002b000000000023ul : 0x002b000000000033ul;
  machine->gregs[REG_CSGSFS] = (greg_t)(((uint64_t)machine->gregs[REG_CSGSFS] & 0x0000ffffffff0000ul) | selectors);
  memcpy((void *)(uintptr_t)current_window, next->window, WINDOW_BYTES);
  if (with_fx) give_vectors(fx, next);
}

static void *read_all(size_t bytes) {
  uint8_t *buffer = malloc(bytes ? bytes : 1);
  if (buffer == NULL || fread(buffer, 1, bytes, stdin) != bytes) {
    fputs("native: the input ended early\n", stderr);
    exit(2);
  }
  return buffer;
}

static void map_at(uintptr_t address, size_t bytes, int protection) {
  if (mmap((void *)address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    perror("native: mmap");
    exit(2);
  }
}

int main(void) {
  uint32_t *header = read_all(16);
  uint32_t slot_count = header[0];
  case_count = header[1];
  with_fx = header[2] & 1;
  record_bytes = sizeof(struct record) - (with_fx ? 0 : FX_BYTES + UPPER_BYTES);
  slots = read_all(slot_count * sizeof(struct slot));
  records = read_all(case_count * record_bytes);
  if (case_count == 0) return 0;

  size_t code_bytes = ((size_t)slot_count * SLOT_BYTES + 4095) & ~(size_t)4095;
  map_at(CODE_BASE, code_bytes, PROT_READ | PROT_WRITE | PROT_EXEC);
  memset((void *)CODE_BASE, 0xcc, code_bytes);
  for (uint32_t i = 0; i < slot_count; i++) memcpy((void *)entry_of(i), slots[i].code, slots[i].length);
  map_at(DATA_BASE, DATA_BYTES, PROT_READ | PROT_WRITE);

  static uint8_t alternate[65536];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  /* 32-bit code uses DS and ES, which a 64-bit process starts with as null: flat ones for all cases */
  __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0x2b));
  __asm__ volatile("int3");
  return 4;
}
