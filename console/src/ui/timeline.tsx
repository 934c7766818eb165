// The recovery points of the last thirty days on a line: when, who made them, whether they are whole, whether that was proven.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { PointSummary } from '../api/schema';
import { counted, humanBytes } from '../format/size';
import { local, parseTime, shortDate } from '../format/time';
import { kOrigin, pointTone } from '../words';
import { now, withShortIds } from './parts';
import { kDays, kLanes, layout } from './timeline_layout';
import { useWidth } from './width';

const kLaneHeight = 26, kTop = 6, kAxis = 20;

const proven = (p: PointSummary): boolean => p.verified !== null && !p.verified.failed && (p.verified.level === 'content' || p.verified.level === 'restore');

function about(p: PointSummary): string {
  const time = parseTime(p.time);
  const state = p.verified?.failed ? 'damage found' : p.status.replace(/_/g, ' ');
  const level = p.verified && !p.verified.failed ? `, verified: ${p.verified.level}` : ', never verified';
  return `${time ? local(time) : p.time}, ${kOrigin[p.origin]}, ${state}${level}, ${humanBytes(p.bytes)}${p.label ? `, ${withShortIds(p.label)}` : ''}`;
}

// One stop for the keyboard, at the newest point; left and right go on from there.
function moveByArrow(event: KeyboardEvent): void {
  const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
  if (step === 0) return;
  const marks = [...(event.currentTarget as Element).querySelectorAll<SVGAElement>('a')];
  const next = marks[marks.indexOf(event.target as SVGAElement) + step];
  event.preventDefault();
  next?.focus();
}

export function Timeline({ points }: { points: PointSummary[] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const left = width > 560 ? 78 : 64;
  const { marks, ticks, lanes } = layout(points, now.value, left, Math.max(width - 10, left + 1));
  const height = kTop + lanes.length * kLaneHeight + kAxis;
  const y = (lane: number): number => kTop + lanes.indexOf(lane) * kLaneHeight + kLaneHeight / 2;
  return (
    <div ref={box} class="stack tight">
      {width > 0 ? (
        <svg class="timeline" width={width} height={height} role="group" onKeyDown={moveByArrow} aria-label={`Time line: ${counted(marks.length, 'recovery point')} in the last ${kDays} days`}>
          {ticks.map((t) => (
            <g key={t.date.getTime()} aria-hidden="true">
              <line class="grid" x1={t.x} x2={t.x} y1={kTop} y2={height - kAxis} />
              <text x={t.x} y={height - 5} text-anchor={t.x < left + 20 ? 'start' : 'middle'}>{shortDate(t.date)}</text>
            </g>
          ))}
          {lanes.map((lane) => (
            <g key={lane} aria-hidden="true">
              <line class="lane" x1={left} x2={width} y1={y(lane)} y2={y(lane)} />
              <text x={0} y={y(lane) + 4}>{kOrigin[kLanes[lane]!]}</text>
            </g>
          ))}
          {[...marks].reverse().map((m, i, all) => {
            const tone = pointTone(m.point);
            const r = m.point.scope === 'full' ? 6 : 4.5;
            const look = `mark ${tone}${proven(m.point) ? '' : ' unproven'}`;
            return (
              <a key={m.point.id} href={`/points/${m.point.id}`} tabindex={i === all.length - 1 ? 0 : -1} aria-label={about(m.point)}>
                <title>{about(m.point)}</title>
                {tone === 'bad' ? <rect class={look} x={m.x - r} y={y(m.lane) - r} width={2 * r} height={2 * r} rx={1} />
                  : tone === 'warn' ? <path class={look} d={`M${m.x} ${y(m.lane) - r - 1}l${r + 1} ${2 * r}h${-2 * (r + 1)}z`} />
                  : <circle class={look} cx={m.x} cy={y(m.lane)} r={r} />}
              </a>
            );
          })}
        </svg>
      ) : null}
      <div class="legend" aria-hidden="true">
        <span><svg viewBox="0 0 12 12" class="timeline"><circle class="mark ok" cx="6" cy="6" r="5" /></svg>complete, content proven</span>
        <span><svg viewBox="0 0 12 12" class="timeline"><circle class="mark ok unproven" cx="6" cy="6" r="4.5" /></svg>not proven yet</span>
        <span><svg viewBox="0 0 12 12" class="timeline"><path class="mark warn" d="M6 1l5.5 10h-11z" /></svg>with findings</span>
        <span><svg viewBox="0 0 12 12" class="timeline"><rect class="mark bad" x="1" y="1" width="10" height="10" rx="1" /></svg>incomplete or damaged</span>
        <span>small: a part of the items</span>
      </div>
    </div>
  );
}
