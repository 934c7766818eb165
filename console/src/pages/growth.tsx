// How the repository grows: stored and protected bytes, what deduplication saves, how long backups take.
import type { ComponentType, JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { call } from '../api/client';
import { Loaded, useResource } from '../api/resource';
import type { Growth as Data } from '../api/schema';
import { humanBytes, humanCount } from '../format/size';
import { place, setQuery } from '../router';
import type { Chart as ChartOf } from '../ui/chart';
import { Bytes, Card, Duration, Empty, Loading, PageHead, PointLink, Time } from '../ui/parts';
import { Table } from '../ui/table';

// Short enough for an axis.
const plotSeconds = (s: number): string => (s >= 120 ? `${+(s / 60).toFixed(1)} min` : `${+s.toFixed(1)} s`);

type ChartType = ComponentType<Parameters<typeof ChartOf>[0]>;
const kRanges = { '30': '30 days', '90': '90 days', '365': 'a year', '0': 'all' } as const;

export function Growth(): JSX.Element {
  const range = place.value.query.get('days') ?? '90';
  const since = range === '0' ? undefined : new Date(Date.now() - Number(range in kRanges ? range : 90) * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const data = useResource((abort) => call('growth', { abort, query: { since } }), [range], ['points']);
  const [chart, setChart] = useState<{ Chart: ChartType } | null>(null);
  useEffect(() => { void import('../ui/chart').then(({ Chart }) => setChart({ Chart })); }, []);
  return (
    <div class="stack">
      <PageHead title="Growth" lead="Stored is what the repository takes on disk; protected is what its points give back.">
        <label class="row small">Of the last <select value={range} onChange={(e) => setQuery({ days: e.currentTarget.value })}>{Object.entries(kRanges).map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></label>
      </PageHead>
      <Loaded from={data} lines={10}>{(d) => (chart ? <GrowthOf data={d} Chart={chart.Chart} /> : <Loading lines={10} />)}</Loaded>
    </div>
  );
}

function GrowthOf({ data: d, Chart }: { data: Data; Chart: ChartType }): JSX.Element {
  const samples = useMemo(() => ({
    times: d.samples.map((s) => Date.parse(s.time) / 1000),
    stored: [{ title: 'Stored', colour: '--accent', values: d.samples.map((s) => s.stored_bytes) }],
    protectedBytes: [{ title: 'Protected', colour: '--info', values: d.samples.map((s) => s.protected_bytes) }],
    ratio: [{ title: 'Protected through stored', colour: '--ok', values: d.samples.map((s) => (s.stored_bytes ? s.protected_bytes / s.stored_bytes : null)) }],
  }), [d]);
  const full = useMemo(() => d.points.filter((p) => p.scope === 'full'), [d]);
  const part = useMemo(() => d.points.filter((p) => p.scope !== 'full'), [d]);
  const durations = useMemo(() => {
    const all = [...d.points].sort((a, b) => a.time.localeCompare(b.time));
    return {
      times: all.map((p) => Date.parse(p.time) / 1000),
      series: [
        { title: 'All items', colour: '--accent', values: all.map((p) => (p.scope === 'full' ? p.seconds : null)) },
        { title: 'A part', colour: '--warn', dash: [5, 4], values: all.map((p) => (p.scope !== 'full' ? p.seconds : null)) },
      ],
      all,
    };
  }, [d]);
  const table = (
    <Table caption="Samples of the repository" rows={[...d.samples].reverse()} rowKey={(s) => s.time} columns={[
      { key: 'time', title: 'Time', head: true, cell: (s) => <Time at={s.time} /> },
      { key: 'stored', title: 'Stored', number: true, cell: (s) => <Bytes value={s.stored_bytes} /> },
      { key: 'protected', title: 'Protected', number: true, cell: (s) => <Bytes value={s.protected_bytes} /> },
      { key: 'points', title: 'Points', number: true, cell: (s) => humanCount(s.points) },
    ]} />
  );
  const few = <Empty what="Nothing to plot yet">A sample is taken after each job that writes to the repository, and once a day.</Empty>;
  return (
    <>
      <div class="tiles">
        <div class="tile"><h2>Stored</h2><div class="value"><Bytes value={d.now.stored_bytes} /></div></div>
        <div class="tile"><h2>Protected</h2><div class="value"><Bytes value={d.now.protected_bytes} /></div></div>
        <div class="tile"><h2>Protected through stored</h2><div class="value">{d.now.ratio === null ? '–' : `${d.now.ratio.toFixed(1)} : 1`}</div><div class="sub">deduplication and compression together</div></div>
        <div class="tile"><h2>Recovery points</h2><div class="value">{humanCount(d.now.points)}</div><div class="sub">{full.length + part.length} made in this time</div></div>
      </div>
      <div class="halves">
        <Card title="Stored">{d.samples.length > 1 ? <Chart title="Stored bytes over time" times={samples.times} series={samples.stored} unit={humanBytes} table={table} /> : few}</Card>
        <Card title="Protected">{d.samples.length > 1 ? <Chart title="Protected bytes of all points over time" times={samples.times} series={samples.protectedBytes} unit={humanBytes} table={table} /> : few}</Card>
        <Card title="Deduplication and compression">{d.samples.length > 1 ? <Chart title="Protected through stored bytes over time" times={samples.times} series={samples.ratio} unit={(v) => `${v.toFixed(1)} : 1`} table={table} /> : few}</Card>
        <Card title="Duration of backups">
          {durations.all.length > 1 ? (
            <Chart title="Duration of backups over time" times={durations.times} series={durations.series} unit={plotSeconds} table={
              <Table caption="Duration of each backup" rows={[...durations.all].reverse()} rowKey={(p) => p.point} columns={[
                { key: 'time', title: 'Time', head: true, cell: (p) => <Time at={p.time} /> },
                { key: 'point', title: 'Point', wide: true, cell: (p) => <PointLink id={p.point} /> },
                { key: 'scope', title: 'Scope', cell: (p) => (p.scope === 'full' ? 'all items' : p.section || 'a part') },
                { key: 'seconds', title: 'Took', number: true, cell: (p) => <Duration seconds={p.seconds} /> },
                { key: 'bytes', title: 'Protected', number: true, wide: true, cell: (p) => <Bytes value={p.protected_bytes} /> },
              ]} />
            } />
          ) : few}
        </Card>
      </div>
    </>
  );
}
