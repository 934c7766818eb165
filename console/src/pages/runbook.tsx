// The plan on paper: steps with boxes to tick, for the day on which no console is there.
import type { JSX } from 'preact';
import { call } from '../api/client';
import { Loaded, useResource } from '../api/resource';
import { local, utc } from '../format/time';
import { place } from '../router';
import { Icon } from '../ui/icons';
import { Notice, PageHead } from '../ui/parts';

export function RunBook(): JSX.Element {
  const point = place.value.query.get('point') ?? undefined;
  const text = useResource((abort) => call('runBook', { abort, query: { point } }), [point]);
  return (
    <div class="stack runbook">
      <PageHead title="Run-book" crumbs={[{ text: 'Recovery', href: '/recovery' }]}>
        <button type="button" class="primary" onClick={() => window.print()}><Icon name="print" />Print</button>
      </PageHead>
      <div class="no-print"><Notice tone="info" what="Keep it on paper with the kit: on the worst day this page is not there." /></div>
      <Loaded from={text} lines={16}>
        {(t) => <section class="card"><div class="body stack"><pre tabIndex={0} aria-label="Run-book">{t}</pre><p class="muted small">Printed from Holdfast, {local(text.at ?? new Date())} ({utc(text.at ?? new Date())}).</p></div></section>}
      </Loaded>
    </div>
  );
}
