/** The host is not trusted, so a hostile one is an ordinary script: this one stops serving the console, then lies in a register. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../src/abi/index.ts';
import { TdxPlatform } from '../src/machine/index.ts';
import { planHelloTd } from './plan-hello-td.ts';

const LETTERS_SERVED = 20;
let letters = 0;
let text = '';

const platform = new TdxPlatform({
  memoryBytes: 4 << 20,
  hostHooks: {
    tdvmcall: (call, serve) => {
      if (call.leaf !== TdvmcallLeaf.INSTRUCTION_IO || letters++ < LETTERS_SERVED) return serve();
      return TdvmcallStatus.INVALID_OPERAND;
    },
    // RBX is not among the registers the guest exposed: the module keeps the guest's own
    beforeEntry: ({ registers }) => {
      registers.u64[Gpr.RBX] = 0xbad_bad_badn;
    },
  },
});
const td = platform.buildTd(planHelloTd(), { consoleOutput: (byte) => (text += String.fromCharCode(byte)) });
const { end } = td.run();

console.log(`The host served ${text.length} letters: ${JSON.stringify(text)}`);
console.log(
  end.cause === 'fatal-error' ? `The guest stopped: ${end.message}` : `The guest did not notice: ${end.cause}`,
);
