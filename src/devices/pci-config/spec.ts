/** PCI configuration mechanism #1 (PCI Local Bus Specification 3.0, section 3.2.2.3.2 "Software Generation of Configuration Transactions"). */

/** CONFIG_ADDRESS at 0 (only as a doubleword), CONFIG_DATA at 4. */
export const Offset = { Address: 0, Data: 4 } as const;
/** enable 31, bus 23:16, device 15:11, function 10:8, register 7:2 */
export const ADDRESS_WRITABLE = 0x80ff_fffc;
