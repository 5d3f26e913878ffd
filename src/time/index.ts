export { type Alarm, Clock } from './clock.ts';
