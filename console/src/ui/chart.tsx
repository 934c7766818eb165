// A plot over time. A canvas cannot read the page's colours, so they are looked up, and again when light and dark change. The same
// numbers stand in a table below it, for everybody who does not see it.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { theme } from '../theme';
import { local, localTime, shortDate } from '../format/time';
import { useWidth } from './width';

export interface Series { title: string; values: (number | null)[]; colour: string; dash?: number[] }

// The value of a colour property as the canvas needs it: light-dark() resolved for this element.
function resolved(element: Element, colour: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${colour})`;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// `step`: seconds between two marks of the axis.
const dateText = (t: Date, step: number): string => (step >= 86_400 ? (step >= 300 * 86_400 ? String(t.getFullYear()) : shortDate(t)) : t.getHours() === 0 && t.getMinutes() === 0 ? shortDate(t) : localTime(t, step < 60));

export function Chart({ title, times, series, unit, table }: { title: string; times: number[]; series: Series[]; unit: (value: number) => string; table: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [scheme, setScheme] = useState(0);
  useEffect(() => {
    const media = window.matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => setScheme((n) => n + 1);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, []);
  const chosen = theme.value;
  useEffect(() => {
    const element = box.current;
    if (!element || width === 0) return undefined;
    const line = resolved(element, '--line'), text = resolved(element, '--muted');
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '11px system-ui' };
    const plot = new uPlot(
      {
        width, height: 220, padding: [8, 24, 0, 0],
        cursor: { y: false, points: { size: 6 } },
        scales: { y: { range: (_, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.08] } },
        axes: [{ ...axis, values: (_, ticks, __, ___, step) => ticks.map((t) => dateText(new Date(t * 1000), step)) }, { ...axis, size: 72, values: (_, ticks) => ticks.map(unit) }],
        series: [
          { label: 'Time', value: (_, v) => (v === null ? '–' : local(new Date(v * 1000))) },
          ...series.map((s) => ({
            label: s.title, stroke: resolved(element, s.colour), width: 2, points: { show: times.length < 60, size: 5 }, spanGaps: true,
            ...(s.dash ? { dash: s.dash } : {}), value: (_: uPlot, v: number | null) => (v === null ? '–' : unit(v)),
          })),
        ],
      },
      [times, ...series.map((s) => s.values)],
      element,
    );
    return () => plot.destroy();
  }, [width, times, series, chosen, scheme]);
  return (
    <figure class="stack tight">
      <div class="chart" ref={box} role="img" aria-label={`${title}. The numbers are in the table below.`} />
      <figcaption><details><summary>Numbers</summary>{table}</details></figcaption>
    </figure>
  );
}
