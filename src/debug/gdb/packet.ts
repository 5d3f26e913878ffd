/**
 * Framing of gdb's remote serial protocol: `$payload#checksum`, acknowledged by `+` or `-`; byte 3 alone is an interrupt.
 * Payloads are strings with a character for each byte. Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol", section "Overview".
 */

export type Incoming =
  | { readonly kind: 'packet'; readonly payload: string }
  /** a packet whose checksum is wrong: it is to be sent again */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'again' };

const DOLLAR = 0x24;
const HASH = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;
const INTERRUPT = 3;
const ESCAPE = 0x7d;
const ESCAPED_BIT = 0x20;

/** `#`, `$`, `}` and `*` cannot stand for themselves in a reply. */
const NEEDS_ESCAPE = /[#$}*]/g;

/** What is sent for a payload. */
export function framed(payload: string): Uint8Array {
  const escaped = payload.replace(
    NEEDS_ESCAPE,
    (character) => `}${String.fromCharCode(character.charCodeAt(0) ^ ESCAPED_BIT)}`,
  );
  const bytes = new Uint8Array(escaped.length + 4);
  bytes[0] = DOLLAR;
  let sum = 0;
  for (let i = 0; i < escaped.length; i++) {
    const byte = escaped.charCodeAt(i);
    bytes[i + 1] = byte;
    sum += byte;
  }
  bytes[escaped.length + 1] = HASH;
  const digits = (sum & 0xff).toString(16).padStart(2, '0');
  bytes[escaped.length + 2] = digits.charCodeAt(0);
  bytes[escaped.length + 3] = digits.charCodeAt(1);
  return bytes;
}

/** Takes a stream apart that arrives in pieces of any size. */
export class PacketReader {
  #payload = '';
  #sum = 0;
  #state: 'between' | 'payload' | 'escaped' | 'first digit' | 'second digit' = 'between';
  #digits = '';

  read(bytes: Uint8Array): Incoming[] {
    const found: Incoming[] = [];
    for (const byte of bytes) {
      const one = this.#take(byte);
      if (one !== undefined) found.push(one);
    }
    return found;
  }

  #take(byte: number): Incoming | undefined {
    switch (this.#state) {
      case 'between':
        return this.#outside(byte);
      case 'payload':
        if (byte === HASH) {
          this.#state = 'first digit';
          return undefined;
        }
        this.#sum += byte;
        if (byte === ESCAPE) this.#state = 'escaped';
        else this.#payload += String.fromCharCode(byte);
        return undefined;
      case 'escaped':
        this.#sum += byte;
        this.#payload += String.fromCharCode(byte ^ ESCAPED_BIT);
        this.#state = 'payload';
        return undefined;
      case 'first digit':
        this.#digits = String.fromCharCode(byte);
        this.#state = 'second digit';
        return undefined;
      case 'second digit':
        this.#state = 'between';
        if (Number.parseInt(this.#digits + String.fromCharCode(byte), 16) !== (this.#sum & 0xff))
          return { kind: 'damaged' };
        return { kind: 'packet', payload: this.#payload };
    }
  }

  #outside(byte: number): Incoming | undefined {
    if (byte === DOLLAR) {
      this.#payload = '';
      this.#sum = 0;
      this.#state = 'payload';
    }
    if (byte === INTERRUPT) return { kind: 'interrupt' };
    if (byte === PLUS) return { kind: 'acknowledged' };
    if (byte === MINUS) return { kind: 'again' };
    return undefined;
  }
}

/** Bytes as hex digits, two for each. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The bytes of hex digits; undefined if they are none. */
export function fromHex(digits: string): Uint8Array | undefined {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
