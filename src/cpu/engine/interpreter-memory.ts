/** Guest memory as the interpreter reaches it: the TLB inline, a call of the host when it misses. */
import type { Code, MemoryOp, WasmType } from '../../wasm/index.ts';
import type { Val, Width } from '../exec/sem.ts';
import { S } from '../state.ts';
import { writeTlbCheck } from './data-tlb-code.ts';
import { Reads } from './graph.ts';
import { Import, P } from './handler-signature.ts';
import { Leave } from './record.ts';
import { LOAD, localOf, node, type Position, SemBuilder, STORE } from './sem-builder.ts';

export abstract class InterpreterMemory extends SemBuilder {
  /** Notes where execution stands (record, instructions left) so that the host can take over. */
  abstract writePosition(code: Code, position: Position): void;

  #writeLeave(code: Code, reason: number): void {
    code.i32(reason);
    code.return();
  }

  leave(reason: number): void {
    const { position } = this;
    this.graph.effect(
      [],
      ({ code }) => {
        this.writePosition(code, position);
        this.#writeLeave(code, reason);
      },
      Reads.Everything,
    );
  }

  /** Leaves in `host` the host address of the access, or leaves the handler with a fault. */
  #translate(
    code: Code,
    position: Position,
    linear: number,
    bytes: number,
    host: number,
    tagOffset: number,
    importIndex: number,
  ): void {
    writeTlbCheck(code, linear, bytes, tagOffset, code.local('i32'));
    code.set(host);
    code.else();
    this.#callHost(code, position, linear, bytes, importIndex);
    code.tee(host);
    code.op('i32.eqz');
    code.if(undefined, false);
    this.#writeLeave(code, Leave.Fault);
    code.end();
    code.end();
  }
  #callHost(code: Code, position: Position, linear: number, bytes: number, importIndex: number): void {
    this.writePosition(code, position);
    code.get(P.state);
    code.get(linear);
    code.op('i32.wrap_i64');
    code.get(linear);
    code.i64(32n);
    code.op('i64.shr_u');
    code.op('i32.wrap_i64');
    code.i32(bytes);
    code.call(importIndex);
  }
  loadAs(name: MemoryOp, bytes: number, linear: Val): Val {
    const type = name.startsWith('v128') ? 'v128' : (name.slice(0, 3) as WasmType);
    const { position } = this;
    return this.graph.effectWithLocals(
      [node(linear)],
      type,
      (writer, [address, result]) => {
        const { code } = writer;
        const host = code.local('i32');
        this.#translate(code, position, localOf(writer, address!), bytes, host, 0, Import.load);
        code.get(host);
        code.memory(name, 0);
        code.set(result!.local);
      },
      0,
    )!;
  }
  storeAs(name: MemoryOp, bytes: number, linear: Val, value: Val): void {
    const { position } = this;
    this.graph.effectWithLocals(
      [node(linear), node(value)],
      undefined,
      (writer, [address, stored]) => {
        const { code } = writer;
        const local = localOf(writer, address!);
        writeTlbCheck(code, local, bytes, 8, code.local('i32'));
        writer.push(stored!);
        code.memory(name, 0);
        code.else();
        code.get(P.state);
        writer.push(stored!);
        code.memory(name, S.bounce);
        this.#callHost(code, position, local, bytes, Import.store);
        code.op('i32.eqz');
        code.if(undefined, false);
        this.#writeLeave(code, Leave.Fault);
        code.end();
        code.end();
      },
      Reads.Memory,
    );
  }
  loadPair(linear: Val): readonly [Val, Val] {
    const { position } = this;
    const host = this.graph.effectWithLocals(
      [node(linear)],
      'i32',
      (writer, [address, result]) =>
        this.#translate(writer.code, position, localOf(writer, address!), 32, result!.local, 0, Import.load),
      0,
    )!;
    const halves = [0, 16].map((offset) => this.graph.peek('v128.load', host, offset, Reads.Memory));
    // the host address may be that of a buffer: both halves are read now
    this.graph.change(Reads.Memory);
    return [halves[0]!, halves[1]!];
  }
  storePair(linear: Val, lower: Val, upper: Val): void {
    const { position } = this;
    this.graph.effectWithLocals(
      [node(linear), node(lower), node(upper)],
      undefined,
      (writer, [address, ...halves]) => {
        const { code } = writer;
        const local = localOf(writer, address!);
        const host = code.local('i32');
        writeTlbCheck(code, local, 32, 8, code.local('i32'));
        code.set(host);
        for (const [index, half] of halves.entries()) {
          code.get(host);
          writer.push(half);
          code.memory('v128.store', 16 * index);
        }
        code.else();
        for (const [index, half] of halves.entries()) {
          code.get(P.state);
          writer.push(half);
          code.memory('v128.store', S.bounce + 16 * index);
        }
        this.#callHost(code, position, local, 32, Import.store);
        code.op('i32.eqz');
        code.if(undefined, false);
        this.#writeLeave(code, Leave.Fault);
        code.end();
        code.end();
      },
      Reads.Memory,
    );
  }
  modify(width: Width, linear: Val, change: (old: Val) => Val): Val {
    const { position } = this;
    const host = this.graph.effectWithLocals(
      [node(linear)],
      'i32',
      (writer, [address, result]) =>
        this.#translate(writer.code, position, localOf(writer, address!), width / 8, result!.local, 8, Import.modify),
      0,
    )!;
    const old = this.graph.peek(LOAD[width], host, 0, Reads.Memory);
    const changed = change(old);
    this.graph.poke(STORE[width], host, 0, node(width < 64 ? this.wrap(changed) : changed), Reads.Memory);
    this.graph.effectWithLocals(
      [host],
      undefined,
      ({ code }, [address]) => {
        code.get(address!.local);
        code.get(P.state);
        code.i32(S.bounce);
        code.op('i32.add');
        code.op('i32.eq');
        code.if(undefined, false);
        code.call(Import.modifyEnd);
        code.drop();
        code.end();
      },
      0,
    );
    return old;
  }
  bulkCopy(width: 8 | 16 | 32 | 64, target: Val, source: Val, count: Val): Val {
    return this.#bulk(width, target, count, source, undefined);
  }
  bulkFill(width: 8 | 16 | 32 | 64, target: Val, value: Val, count: Val): Val {
    return this.#bulk(width, target, count, undefined, value);
  }
  #bulk(width: 8 | 16 | 32 | 64, target: Val, count: Val, source: Val | undefined, value: Val | undefined): Val {
    const shift = Math.log2(width / 8);
    const { position } = this;
    const args = [target, count, source ?? value!].map(node);
    return this.graph.effectWithLocals(
      args,
      'i64',
      (writer, all) => {
        const { code } = writer;
        const [to, wanted, other] = all.slice(0, 3).map((each) => localOf(writer, each)) as [number, number, number];
        const result = all[3]!.local;
        const done = code.local('i32');
        const hostTo = code.local('i32');
        const hostFrom = code.local('i32');
        const isCode = code.local('i32');
        const limit = (linear: number): void => {
          code.i32(4096);
          code.get(linear);
          code.op('i32.wrap_i64');
          code.i32(4095);
          code.op('i32.and');
          code.op('i32.sub');
          code.i32(shift);
          code.op('i32.shr_u');
        };
        const atMost = (push: () => void): void => {
          const other = code.local('i32');
          push();
          code.tee(other);
          code.get(done);
          code.get(other);
          code.get(done);
          code.op('i32.lt_u');
          code.select();
          code.set(done);
        };
        if (source !== undefined) this.#translate(code, position, other, width / 8, hostFrom, 0, Import.load);
        this.#translate(code, position, to, width / 8, hostTo, 8, Import.modify);
        // decoded code is written with care, element by element; where it lies says only a reading access
        code.get(hostTo);
        code.get(P.state);
        code.i32(S.bounce);
        code.op('i32.add');
        code.op('i32.eq');
        code.tee(isCode);
        code.if(undefined, false);
        this.#translate(code, position, to, width / 8, hostTo, 0, Import.load);
        code.end();
        code.i32(4096);
        code.get(wanted);
        code.op('i32.wrap_i64');
        code.get(wanted);
        code.i64(4096n);
        code.op('i64.gt_u');
        code.select();
        code.set(done);
        atMost(() => limit(to));
        if (source !== undefined) atMost(() => limit(other));
        if (source !== undefined) {
          code.get(hostTo);
          code.get(hostFrom);
          code.op('i32.sub');
          code.i32(1);
          code.op('i32.sub');
          code.get(done);
          code.i32(shift);
          code.op('i32.shl');
          code.i32(1);
          code.op('i32.sub');
          code.op('i32.lt_u');
          code.if(undefined, false);
          code.i32(0);
          code.set(done);
          code.end();
        }
        code.get(isCode);
        code.if(undefined, false);
        code.i32(0);
        code.get(done);
        code.op('i32.sub');
        code.set(done);
        code.end();
        code.get(done);
        code.i32(0);
        code.op('i32.gt_s');
        code.if(undefined, true);
        if (source !== undefined) {
          code.get(hostTo);
          code.get(hostFrom);
          code.get(done);
          code.i32(shift);
          code.op('i32.shl');
          code.memoryCopy();
        } else this.#writeFill(code, width, hostTo, other, done, shift);
        code.end();
        code.get(done);
        code.op('i64.extend_i32_s');
        code.set(result);
      },
      Reads.Memory,
    )!;
  }
  /** Fills `done` elements: memory.fill where all bytes are alike, a loop of stores otherwise. */
  #writeFill(code: Code, width: 8 | 16 | 32 | 64, hostTo: number, value: number, done: number, shift: number): void {
    const at = code.local('i32');
    const end = code.local('i32');
    const loop = (): void => {
      code.get(hostTo);
      code.tee(at);
      code.get(done);
      code.i32(shift);
      code.op('i32.shl');
      code.op('i32.add');
      code.set(end);
      code.loop();
      code.get(at);
      code.get(value);
      code.memory(STORE[width], 0);
      code.get(at);
      code.i32(width / 8);
      code.op('i32.add');
      code.tee(at);
      code.get(end);
      code.op('i32.lt_u');
      code.brIf(0);
      code.end();
    };
    const fill = (): void => {
      code.get(hostTo);
      code.get(value);
      if (width === 64) code.op('i32.wrap_i64');
      code.get(done);
      code.i32(shift);
      code.op('i32.shl');
      code.memoryFill();
    };
    if (width === 8) {
      fill();
      return;
    }
    // zero and all-ones, which clear pages, are the same in every byte
    code.get(value);
    if (width === 64) code.op('i64.eqz');
    else {
      code.i32(width === 16 ? 0xffff : -1);
      code.op('i32.and');
      code.op('i32.eqz');
    }
    code.if();
    fill();
    code.else();
    loop();
    code.end();
  }
}
