// Where the marks of the time line stand: pure, so that it is tested without a page.
import type { PointSummary } from '../api/schema';

export const kLanes = ['scheduled', 'manual', 'imported'] as const;
export interface Mark { point: PointSummary; x: number; lane: number }
export interface Tick { x: number; date: Date }

export const kDays = 30;

export function layout(points: PointSummary[], now: Date, left: number, width: number, days = kDays): { marks: Mark[]; ticks: Tick[]; lanes: number[] } {
  const end = now.getTime();
  const start = end - days * 86_400_000;
  const at = (time: number): number => left + ((time - start) / (end - start)) * (width - left);
  const marks: Mark[] = [];
  for (const point of points) {
    const time = Date.parse(point.time);
    if (Number.isNaN(time) || time < start) continue;
    marks.push({ point, x: Math.min(at(time), width), lane: kLanes.indexOf(point.origin) });
  }
  const lanes = kLanes.map((_, i) => i).filter((i) => i < 2 || marks.some((m) => m.lane === i));
  const ticks: Tick[] = [];
  const every = width - left > 560 ? 3 : 7;
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  for (let back = 0; back < days; back += every) {
    const date = new Date(midnight.getFullYear(), midnight.getMonth(), midnight.getDate() - back);
    if (date.getTime() >= start) ticks.push({ x: at(date.getTime()), date });
  }
  return { marks, ticks, lanes };
}
