// Recovery points, newest first, as many as one asks for.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { problemOf } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { PointSummary } from '../api/schema';
import { counted } from '../format/size';
import { go, place, setQuery } from '../router';
import { Act, startJob } from '../ui/act';
import { Brief, Bytes, Empty, PageHead, Time, shortId, tellProblem } from '../ui/parts';
import { Table } from '../ui/table';
import { PointBadge, Verified, kOrigin } from '../words';

const kPage = 200;
type Origin = PointSummary['origin'];
type Status = PointSummary['status'];
interface Listed { points: PointSummary[]; next: string | null; total: number; head: string }

export async function setPinned(id: string, pinned: boolean): Promise<void> {
  await call(pinned ? 'pin' : 'unpin', { params: { id } });
}

export function Points(): JSX.Element {
  const query = place.value.query;
  const origin = (query.get('origin') ?? '') as Origin | '';
  const status = (query.get('status') ?? '') as Status | '';
  const [picked, setPicked] = useState<string[]>([]);
  const [more, setMore] = useState(1);
  const filters = { ...(origin ? { origin } : {}), ...(status ? { status } : {}) };
  const list = useResource<Listed>(async (abort) => call('points', { abort, query: { ...filters, limit: kPage * more } }), [origin, status], ['points']);
  useEffect(() => setMore(1), [origin, status]);
  const showMore = async (): Promise<void> => {
    const shown = list.data;
    if (!shown?.next) return;
    const next = await call('points', { query: { ...filters, limit: kPage, after: shown.next } });
    list.set({ ...next, points: [...shown.points, ...next.points] });
    setMore(more + 1);
  };
  const pick = (id: string, on: boolean): void => setPicked(on ? [...picked, id].slice(-2) : picked.filter((p) => p !== id));
  const pin = (p: PointSummary): void => {
    const set = (pinned: boolean): void => { if (list.data) list.set({ ...list.data, points: list.data.points.map((x) => (x.id === p.id ? { ...x, pinned } : x)) }); };
    set(!p.pinned);
    setPinned(p.id, !p.pinned).catch((error: unknown) => { set(p.pinned); tellProblem(problemOf(error)); });
  };
  return (
    <div class="stack">
      <PageHead title="Recovery points" lead="What one can go back to. Points made by hand and pinned ones are never deleted by a rule.">
        <Act right="operate" look="primary" icon="play" onAct={() => startJob({ kind: 'backup' })}>Back up now</Act>
      </PageHead>
      <section class="card" aria-label="Recovery points">
        <div class="toolbar">
          <label class="row small">Made <select value={origin} onChange={(e) => setQuery({ origin: e.currentTarget.value })}>
            <option value="">by all</option>{Object.entries(kOrigin).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select></label>
          <label class="row small">Status <select value={status} onChange={(e) => setQuery({ status: e.currentTarget.value })}>
            <option value="">all</option><option value="complete">complete</option><option value="complete_with_findings">with findings</option><option value="incomplete">incomplete</option>
          </select></label>
          <span class="grow" />
          <Act icon="points" disabled={picked.length !== 2} why="Tick two points to compare them" onAct={() => {
            const [a, b] = [...picked].sort((x, y) => indexOf(list.data, y) - indexOf(list.data, x));
            go(`/compare/${a}/${b}`);
          }}>Compare</Act>
          <Act right="operate" icon="shield" onAct={() => startJob({ kind: 'verify', parameters: { all: true, level: 'content' } })}>Verify all</Act>
        </div>
        <Loaded from={list} lines={10}>
          {(data) => (
            <>
              <Table caption="Recovery points" rows={data.points} rowKey={(p) => p.id} rowClass={(p) => (picked.includes(p.id) ? 'chosen' : '')}
                empty={<Empty what={origin || status ? 'No recovery point is like that' : 'There is no recovery point yet'}>{origin || status ? <button type="button" class="quiet" onClick={() => setQuery({ origin: undefined, status: undefined })}>Show all</button> : 'Back up now, or switch a schedule on.'}</Empty>}
                columns={[
                  { key: 'pick', title: 'Compare', hiddenTitle: true, cell: (p) => <input type="checkbox" aria-label={`Compare ${shortId(p.id)}`} checked={picked.includes(p.id)} onChange={(e) => pick(p.id, e.currentTarget.checked)} /> },
                  { key: 'time', title: 'Time', head: true, cell: (p) => <a href={`/points/${p.id}`}><Time at={p.time} /></a> },
                  { key: 'status', title: 'Status', cell: (p) => <span class="row tight-row"><PointBadge status={p.status} />{p.scope === 'partial' ? <span class="tag">part</span> : null}</span> },
                  { key: 'verified', title: 'Verified', wide: true, cell: (p) => <Verified verified={p.verified} /> },
                  { key: 'origin', title: 'Made', wide: true, cell: (p) => kOrigin[p.origin] },
                  { key: 'bytes', title: 'Size', number: true, wide: true, cell: (p) => <Bytes value={p.bytes} /> },
                  { key: 'label', title: 'Label', wide: true, cell: (p) => <Brief>{p.label}</Brief> },
                  { key: 'id', title: 'Point', wide: true, cell: (p) => <span class="mono muted" title={p.id}>{shortId(p.id)}</span> },
                  { key: 'pin', title: 'Pinned', actions: true, cell: (p) => <PinButton point={p} onPin={() => pin(p)} /> },
                ]} />
              <div class="row apart foot">
                <span class="muted">{data.points.length < data.total ? `${data.points.length} of ${counted(data.total, 'point')}` : counted(data.total, 'point')} · head code <code>{data.head || 'none'}</code></span>
                {data.next ? <Act onAct={showMore}>Show {Math.min(kPage, data.total - data.points.length)} more</Act> : null}
              </div>
            </>
          )}
        </Loaded>
      </section>
    </div>
  );
}

const indexOf = (data: Listed | null, id: string): number => data?.points.findIndex((p) => p.id === id) ?? -1;

function PinButton({ point, onPin }: { point: PointSummary; onPin: () => void }): JSX.Element {
  if (point.pinned) return <Act right="operate" look="quiet small" icon="pin" label={`Pinned: unpin ${shortId(point.id)}`} onAct={onPin}>Pinned</Act>;
  return <Act right="operate" look="quiet small" icon="pin" label={`Pin ${shortId(point.id)}`} onAct={onPin}>Pin</Act>;
}
