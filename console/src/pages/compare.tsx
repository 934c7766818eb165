// What changed between two recovery points: settings by key, registry by value, folders by file.
import type { JSX } from 'preact';
import { call } from '../api/client';
import { Loaded, useResource } from '../api/resource';
import type { Change, Point } from '../api/schema';
import type { PageProps } from '../router';
import { counted } from '../format/size';
import { Badge, Empty, PageHead, PointLink, Time, shortId, type Tone } from '../ui/parts';
import { Table } from '../ui/table';

const kTone: Record<Change['kind'], Tone> = { added: 'ok', removed: 'bad', changed: 'info' };

export function Compare({ params }: PageProps): JSX.Element {
  const a = params['a'] ?? '', b = params['b'] ?? '';
  const compared = useResource(async (abort) => {
    const [diff, before, after] = await Promise.all([call('diff', { abort, params: { a, b } }), call('point', { abort, params: { id: a } }), call('point', { abort, params: { id: b } })]);
    return { diff, before, after };
  }, [a, b]);
  // A part of the items is not a loss of the others.
  const lacks = (point: Point, item: string): boolean => !point.items.some((i) => i.name === item);
  return (
    <div class="stack">
      <PageHead title={`${shortId(a)} and ${shortId(b)}`} crumbs={[{ text: 'Recovery points', href: '/points' }]}
        lead={<>From <PointLink id={a} /> <Time at={compared.data?.before.time} /> to <PointLink id={b} /> <Time at={compared.data?.after.time} />.</>}>
        <a class="button" href={`/compare/${b}/${a}`}>Turn round</a>
      </PageHead>
      <Loaded from={compared} lines={8}>
        {({ diff: d, before, after }) => {
          const names = d.items.map((i) => i.item);
          const onlyFirst = names.filter((n) => lacks(after, n)), onlySecond = names.filter((n) => lacks(before, n));
          const changed = d.items.filter((i) => i.changes.length > 0 && !onlyFirst.includes(i.item) && !onlySecond.includes(i.item));
          const same = d.items.filter((i) => i.changes.length === 0);
          return (
            <>
              {changed.length === 0 ? <section class="card"><Empty what="Nothing changed in what both points hold">{counted(same.length, 'item')} compared.</Empty></section> : null}
              {changed.map((i) => (
                <details class="card changes" key={i.item} open={i.changes.length <= 50}>
                  <summary><strong>{i.item}</strong> <span class="muted">{counted(i.changes.length + i.omitted, 'change')}</span></summary>
                  <Table caption={`Changes of ${i.item}`} rows={i.changes} rowKey={(c) => `${c.kind}${c.where}`} columns={[
                    { key: 'kind', title: 'What', cell: (c) => <Badge tone={kTone[c.kind]} icon={c.kind === 'added' ? 'plus' : c.kind === 'removed' ? 'close' : 'copy'}>{c.kind}</Badge>, sort: (c) => c.kind },
                    { key: 'where', title: 'Where', head: true, cell: (c) => (c.where === '' ? <span class="muted">the item itself</span> : <span class="mono break">{c.where}</span>), sort: (c) => c.where },
                    { key: 'before', title: 'Before', wide: true, cell: (c) => <span class="mono break">{c.before}</span> },
                    { key: 'after', title: 'After', wide: true, cell: (c) => <span class="mono break">{c.after}</span> },
                  ]} />
                  {i.omitted ? <p class="muted foot">{counted(i.omitted, 'further change')} {i.omitted === 1 ? 'is' : 'are'} not listed.</p> : null}
                </details>
              ))}
              {onlyFirst.length ? <p>Only in the first point: {onlyFirst.join(', ')}.</p> : null}
              {onlySecond.length ? <p>Only in the second point: {onlySecond.join(', ')}.</p> : null}
              {changed.length && same.length ? <p class="muted">Without a change: {same.map((i) => i.item).join(', ')}.</p> : null}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
