export {
  HOST_KEY_ID,
  HostMemory,
  PAGE_SHIFT,
  PAGE_SIZE_BYTES,
  PageContent,
  PROCESSOR_AREA_BYTES,
} from './host-memory.ts';
