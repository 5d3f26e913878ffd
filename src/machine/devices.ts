/** The devices of one board, soldered: each at its place, interrupt lines to the I/O APIC, events to whoever holds the board. */
import {
  AcpiPower,
  Bus,
  type Device,
  type InterruptMessage,
  IoApic,
  PitStopped,
  type PowerEvent,
  RtcCmos,
  Serial16550,
  SystemControlPortB,
} from '../devices/index.ts';
import type { Clock } from '../time/index.ts';
import { BOARD, type BoardRow, MMIO, PORTS } from './board.ts';

export interface BoardConnections {
  readonly clock: Clock;
  /** date and time at tick 0, Unix seconds */
  readonly startUnixSeconds: number;
  /** a byte left the serial port */
  readonly consoleOutput: (byte: number) => void;
  readonly power: (event: PowerEvent) => void;
  /** from the I/O APIC to the local APICs */
  readonly interrupt: (message: InterruptMessage) => void;
}

export interface BoardDevices {
  readonly ports: Bus;
  readonly mmio: Bus;
  readonly serial: Serial16550;
}

export function solderBoard(connections: BoardConnections): BoardDevices {
  const ioApic = new IoApic(connections.interrupt);
  const serial = new Serial16550({
    transmit: connections.consoleOutput,
    interrupt: (asserted) => ioApic.setInput(BOARD.serial.interrupt, asserted),
  });
  const { powerOffType, resetValue } = BOARD.power;
  return {
    serial,
    ports: bus(PORTS, {
      pit: new PitStopped(),
      systemControlPortB: new SystemControlPortB(),
      rtc: new RtcCmos(connections.clock, connections.startUnixSeconds),
      serial,
      power: new AcpiPower({ powerOffType, resetValue, event: connections.power }),
    }),
    mmio: bus(MMIO, { ioApic }),
  };
}

/** One device for each row of the map: the compiler asks for what is missing. */
function bus<Name extends string>(map: Record<Name, BoardRow>, devices: Record<Name, Device>): Bus {
  const names = Object.keys(map) as Name[];
  return new Bus(names.map((name) => ({ name, ...map[name], device: devices[name] })));
}
