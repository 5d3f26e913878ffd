/** A trace as one SVG: a lane for each kind of crossing, how many there were in each moment, and the guest's memory below. */

import type { TraceEvent } from './event.ts';

const WIDTH = 1000;
const LEFT = 150;
const LANE = 34;
const MEMORY = 90;
const MARGIN = 16;
const COLUMNS = 400;
const TICKS_PER_SECOND = 1e9;

const laneKinds: readonly { readonly kind: string; readonly color: string }[] = [
  { kind: '#VE', color: '#c2410c' },
  { kind: 'module call', color: '#1d4ed8' },
  { kind: 'VMM call', color: '#15803d' },
  { kind: 'handled by the module', color: '#64748b' },
  { kind: 'TD exit', color: '#a16207' },
  { kind: 'host call', color: '#7e22ce' },
  { kind: 'interrupt taken', color: '#be123c' },
];

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

interface MemoryPoint {
  readonly ticks: number;
  readonly privateBytes: number;
  readonly sharedBytes: number;
}

function memoryOverTime(events: readonly TraceEvent[]): MemoryPoint[] {
  const points: MemoryPoint[] = [];
  let [privateBytes, sharedBytes] = [0, 0];
  for (const { kind, name, details = '', gpaBytes = 0, ticks } of events) {
    if (kind === 'private page')
      privateBytes += ((name === 'MAPPED' ? 1 : 0) - (details.startsWith('was MAPPED,') ? 1 : 0)) * gpaBytes;
    else if (kind === 'shared page') sharedBytes += (name === 'MAPPED' ? 1 : -1) * gpaBytes;
    else continue;
    if (points.at(-1)?.ticks === ticks) points.pop();
    points.push({ ticks, privateBytes, sharedBytes });
  }
  return points;
}

/** An SVG document; heights are logarithmic, so that one crossing can be seen beside ten thousand. */
export function drawTrace(events: readonly TraceEvent[], title: string): string {
  const last = Math.max(events.at(-1)?.ticks ?? 0, 1);
  const x = (ticks: number) => LEFT + (ticks / last) * (WIDTH - LEFT - MARGIN);
  const columnWidth = (WIDTH - LEFT - MARGIN) / COLUMNS;
  const lanes = laneKinds.filter(({ kind }) => events.some((event) => event.kind === kind));
  const top = 44;
  const parts: string[] = [];
  const text = (at: number, y: number, words: string, extra = '') =>
    parts.push(`<text x="${at.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${escaped(words)}</text>`);

  text(MARGIN, 24, title, 'font-size="14" font-weight="bold"');
  lanes.forEach(({ kind, color }, lane) => {
    const bottom = top + (lane + 1) * LANE - 6;
    const counts = new Uint32Array(COLUMNS + 1);
    let total = 0;
    for (const event of events)
      if (event.kind === kind) {
        total++;
        const column = Math.floor((event.ticks / last) * COLUMNS);
        counts[column] = counts[column]! + 1;
      }
    const most = Math.log1p(counts.reduce((a, b) => Math.max(a, b), 1));
    const bars = [...counts].flatMap((count, column) => {
      if (count === 0) return [];
      const height = Math.max(2, (Math.log1p(count) / most) * (LANE - 10));
      const at = Math.min(LEFT + column * columnWidth, WIDTH - MARGIN - columnWidth);
      return [`M${at.toFixed(1)} ${bottom}v-${height.toFixed(1)}h${columnWidth.toFixed(2)}v${height.toFixed(1)}z`];
    });
    parts.push(`<path fill="${color}" d="${bars.join('')}"/>`);
    parts.push(`<path stroke="#cbd5e1" d="M${LEFT} ${bottom}H${WIDTH - MARGIN}"/>`);
    text(MARGIN, bottom - 12, kind);
    text(MARGIN, bottom, String(total), 'fill="#64748b" font-size="10"');
  });

  const memoryTop = top + lanes.length * LANE + 14;
  const points = memoryOverTime(events);
  const most = Math.max(1, ...points.map(({ privateBytes, sharedBytes }) => privateBytes + sharedBytes));
  const y = (bytes: number) => memoryTop + MEMORY - (bytes / most) * (MEMORY - 12);
  const area = (value: (point: MemoryPoint) => number, color: string): void => {
    let path = `M${LEFT} ${y(0)}`;
    let height = y(0);
    for (const point of points) {
      const next = y(value(point));
      if (Math.abs(next - height) < 0.5) continue;
      height = next;
      path += `H${x(point.ticks).toFixed(1)}V${height.toFixed(1)}`;
    }
    parts.push(`<path fill="${color}" d="${path}H${WIDTH - MARGIN}V${y(0)}z"/>`);
  };
  area(({ privateBytes, sharedBytes }) => privateBytes + sharedBytes, '#bbf7d0');
  area(({ privateBytes }) => privateBytes, '#bfdbfe');
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const final = points.at(-1) ?? { privateBytes: 0, sharedBytes: 0 };
  text(MARGIN, memoryTop + 24, `private ${mib(final.privateBytes)}`, 'fill="#1d4ed8"');
  text(MARGIN, memoryTop + 42, `shared ${mib(final.sharedBytes)}`, 'fill="#15803d"');
  text(MARGIN, memoryTop + 60, 'at the end', 'fill="#64748b" font-size="10"');
  const axis = memoryTop + MEMORY;
  for (let tenth = 0; tenth <= 10; tenth += 2) {
    const ticks = (last * tenth) / 10;
    const anchor = tenth === 10 ? 'end' : tenth === 0 ? 'start' : 'middle';
    text(x(ticks), axis + 16, `${(ticks / TICKS_PER_SECOND).toFixed(2)} s`, `text-anchor="${anchor}" fill="#64748b"`);
  }
  const height = axis + 28;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11" fill="#0f172a">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
