/** The thread behind `ModuleThread`. */
import { workerData } from 'node:worker_threads';
import type { ModuleThreadData, ReadyModule } from './module-thread.ts';
import { nativeSerializer } from './native-serializer.ts';
import { moduleOf, readModule } from './stored-module.ts';
import { stepBack } from './thread-priority.ts';

const { stored, port, ...from } = workerData as ModuleThreadData;
const serializer = nativeSerializer();
stepBack();
if (serializer !== undefined)
  stored.forEach((each, index) => {
    const parts = readModule(from, each);
    if (parts !== null) port.postMessage({ index, module: moduleOf(parts, serializer) } satisfies ReadyModule);
  });
port.close();
