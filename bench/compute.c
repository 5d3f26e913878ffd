/*
 * Ten kernels, each between two marks on the console. Runs as a program, or as /init of a guest that has nothing else: then it powers off.
 * Sizes: 0.3 to 2 seconds each under QEMU's TCG. Arguments: how often each kernel runs, and the only one to run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#define MIB (1u << 20)
#define POOL_BYTES (64 * MIB)
static u8 *pool;

static u64 random_state;
static u64 next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

/* Adds, rotations, shifts and comparisons on registers. */
static u64 integer_mix(void) {
  u64 a = 1, b = 2, c = 3, d = 4;
  for (u32 i = 0; i < 20 * 1000 * 1000; i++) {
    a += b ^ i;
    b = (b << 13) | (b >> 51);
    c ^= a + d;
    d -= c >> 3;
    if ((a ^ d) & 64) b += c;
    else d ^= 0x9e3779b97f4a7c15u;
  }
  return a ^ b ^ c ^ d;
}

static const u32 sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static u32 rotate_right(u32 x, int n) { return (x >> n) | (x << (32 - n)); }

static void sha_block(u32 h[8], const u8 *block) {
  u32 w[64];
  for (int i = 0; i < 16; i++)
    w[i] = (u32)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ (w[i - 15] >> 3);
    u32 s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
  for (int i = 0; i < 64; i++) {
    u32 s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    u32 t1 = k + s1 + ((e & f) ^ (~e & g)) + sha_constants[i] + w[i];
    u32 s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    u32 t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    k = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += k;
}

/* SHA-256 of 64 MiB (FIPS 180-4), without the padding. */
static u64 sha256(void) {
  u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (u32 at = 0; at < POOL_BYTES; at += 64) sha_block(h, pool + at);
  return (u64)h[0] << 32 | h[7];
}

static int population(u64 x) { return __builtin_popcountll(x); }

/* Products, quotients, remainders, population counts. */
static u64 arithmetic(void) {
  u64 sum = 0, x = 88172645463325252u;
  for (u32 i = 1; i <= 4 * 1000 * 1000; i++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    sum += x / (i | 1) + (u32)x % (i + 7) + population(x);
    sum ^= (u64)(((unsigned __int128)x * i) >> 64);
  }
  return sum;
}

struct body {
  double x, y, z, vx, vy, vz, mass;
};

/* Five bodies that attract each other. */
static u64 n_body(void) {
  struct body bodies[5];
  for (int i = 0; i < 5; i++)
    bodies[i] = (struct body){i * 4.0 + 1, i * 0.5 - 1, 0.1 * i, 0.01 * (i - 2), 0.6 / (i + 1), 0.02 * i, 1.0 / (1 + 9 * i)};
  for (int step = 0; step < 250 * 1000; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        struct body *a = &bodies[i], *b = &bodies[j];
        double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
        double squared = dx * dx + dy * dy + dz * dz, root;
        __asm__("sqrtsd %1, %0" : "=x"(root) : "x"(squared));
        double magnitude = 0.001 / (squared * root);
        a->vx -= dx * b->mass * magnitude, a->vy -= dy * b->mass * magnitude, a->vz -= dz * b->mass * magnitude;
        b->vx += dx * a->mass * magnitude, b->vy += dy * a->mass * magnitude, b->vz += dz * a->mass * magnitude;
      }
    for (int i = 0; i < 5; i++) {
      struct body *a = &bodies[i];
      a->x += 0.001 * a->vx, a->y += 0.001 * a->vy, a->z += 0.001 * a->vz;
    }
  }
  double sum = bodies[0].x + bodies[1].y + bodies[2].z;
  return (u64)(sum * 1e12);
}

/* Primes below 16 million, a byte each. */
static u64 sieve(void) {
  const u32 limit = 16 * 1000 * 1000;
  for (u32 i = 0; i < limit; i++) pool[i] = 1;
  for (u32 i = 2; i * i < limit; i++)
    if (pool[i])
      for (u32 j = i * i; j < limit; j += i) pool[j] = 0;
  u64 count = 0;
  for (u32 i = 2; i < limit; i++) count += pool[i];
  return count;
}

/* CRC-32 of 48 MiB, a byte at a time from a table. */
static u64 crc32(void) {
  static u32 table[256];
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  u32 c = ~0u;
  for (u32 i = 0; i < 48 * MIB; i++) c = table[(c ^ pool[i]) & 255] ^ (c >> 8);
  return ~c;
}

static void sort(u32 *from, u32 *to) {
  while (to - from > 12) {
    u32 pivot = from[(to - from) / 2];
    u32 *i = from, *j = to - 1;
    for (;;) {
      while (*i < pivot) i++;
      while (*j > pivot) j--;
      if (i >= j) break;
      u32 other = *i;
      *i++ = *j, *j-- = other;
    }
    if (i - from < to - i) sort(from, i), from = i;
    else sort(i, to), to = i;
  }
  for (u32 *i = from + 1; i < to; i++) {
    u32 value = *i, *j = i;
    for (; j > from && j[-1] > value; j--) *j = j[-1];
    *j = value;
  }
}

/* 1.5 million numbers. */
static u64 quicksort(void) {
  const u32 count = 1500 * 1000;
  u32 *numbers = (u32 *)pool;
  random_state = 42;
  for (u32 i = 0; i < count; i++) numbers[i] = next_random();
  sort(numbers, numbers + count);
  u64 sum = 0;
  for (u32 i = 1; i < count; i++) sum += (numbers[i] - numbers[i - 1]) ^ i;
  return sum;
}

/* A stack machine that runs a small loop: one jump through a table for each of its instructions. */
static u64 bytecode(void) {
  enum { PUSH, ADD, XOR, DUP, SWAP, SHIFT, DECREMENT, LOOP, STOP, MULTIPLY };
  static const u8 program[] = {PUSH, 1, PUSH, 7, ADD, DUP, SHIFT, 3, XOR, PUSH, 5, MULTIPLY, ADD, SWAP, ADD, DECREMENT, LOOP, 14, STOP};
  u64 stack[64] = {[7] = 0x1234567, [8] = 3}, counter = 2500 * 1000;
  u64 *top = stack + 8;
  const u8 *at = program;
  for (;;)
    switch (*at++) {
      case PUSH: *++top = *at++; break;
      case ADD: top[-1] += top[0], top--; break;
      case XOR: top[-1] ^= top[0], top--; break;
      case DUP: top[1] = top[0], top++; break;
      case SWAP: { u64 other = top[0]; top[0] = top[-1], top[-1] = other; break; }
      case SHIFT: top[0] ^= top[0] << *at++; break;
      case MULTIPLY: top[-1] *= top[0], top--; break;
      case DECREMENT: counter--; break;
      case LOOP: {
        u8 back = *at++;
        top = stack + 8;
        if (counter) at -= back + 2;
        break;
      }
      default: return stack[7] ^ stack[8] ^ *top;
    }
}

/* 8 bytes at a time, 16 MiB to and fro. */
static u64 copy(void) {
  u64 *from = (u64 *)pool, *to = (u64 *)(pool + 16 * MIB);
  for (int round = 0; round < 12; round++) {
    for (u32 i = 0; i < 16 * MIB / 8; i++) to[i] = from[i];
    u64 *other = from;
    from = to, to = other;
  }
  return from[5] ^ to[77];
}

/* One word of each page and a bit: a new translation every time. */
static u64 strided_sum(void) {
  u64 sum = 0;
  for (u32 round = 0; round < 300; round++)
    for (u32 at = (round & 7) * 8; at < POOL_BYTES; at += 4096 + 64) sum += *(u64 *)(pool + at);
  return sum;
}

static const struct {
  const char *name;
  u64 (*run)(void);
} kernels[] = {
    {"integer-mix", integer_mix}, {"sha256", sha256},       {"arithmetic", arithmetic}, {"n-body", n_body},
    {"sieve", sieve},             {"crc32", crc32},         {"quicksort", quicksort},   {"bytecode", bytecode},
    {"copy", copy},               {"strided-sum", strided_sum},
};

int main(int count, char **arguments) {
  int rounds = count > 1 ? atoi(arguments[1]) : 3;
  pool = malloc(POOL_BYTES);
  random_state = 1;
  for (u32 i = 0; i < POOL_BYTES / 8; i++) ((u64 *)pool)[i] = next_random();
  for (unsigned k = 0; k < sizeof kernels / sizeof *kernels; k++) {
    if (count > 2 && strcmp(arguments[2], kernels[k].name) != 0) continue;
    for (int round = 0; round < rounds; round++) {
      printf("<%s ", kernels[k].name), fflush(stdout);
      u64 result = kernels[k].run();
      printf("%llx>\n", (unsigned long long)result), fflush(stdout);
    }
  }
  printf("<done>\n"), fflush(stdout);
  if (getpid() == 1) reboot(RB_POWER_OFF);
  return 0;
}
