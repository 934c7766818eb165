// What runs, waits and ran, newest first.
import type { JSX } from 'preact';
import { call } from '../api/client';
import { jobs as live } from '../api/live';
import { Loaded, useResource } from '../api/resource';
import type { Job } from '../api/schema';
import { place, setQuery } from '../router';
import { More } from '../ui/act';
import { JobProgress, StopButton, goesOn, jobSeconds } from '../ui/job_parts';
import { Brief, Duration, Empty, PageHead, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { JobBadge, kKinds } from '../words';

// The kind stands before it.
const withoutVerb = (does: string): string => does.replace(/^\S+ ?/, '');

interface Listed { jobs: Job[]; next: string | null }
const kPage = 100;

export function Jobs(): JSX.Element {
  const query = place.value.query;
  const kind = query.get('kind') ?? '', state = query.get('state') ?? '';
  const filters = { kind, state };
  const list = useResource<Listed>((abort) => call('jobs', { abort, query: { ...filters, limit: kPage } }), [kind, state], ['jobs']);
  const more = async (): Promise<void> => {
    const shown = list.data;
    if (!shown?.next) return;
    const next = await call('jobs', { query: { ...filters, limit: kPage, after: shown.next } });
    list.set({ next: next.next, jobs: [...shown.jobs, ...next.jobs] });
  };
  return (
    <div class="stack">
      <PageHead title="Jobs" lead="Each is a run of the program itself, one after the other; what a person starts goes first." />
      <section class="card" aria-label="Jobs">
        <div class="toolbar">
          <label class="row small">Kind <select value={kind} onChange={(e) => setQuery({ kind: e.currentTarget.value })}><option value="">all</option>{Object.entries(kKinds).map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></label>
          <label class="row small">State <select value={state} onChange={(e) => setQuery({ state: e.currentTarget.value })}><option value="">all</option>{['queued', 'running', 'ended', 'interrupted'].map((s) => <option key={s}>{s}</option>)}</select></label>
        </div>
        <Loaded from={list} lines={8}>
          {(data) => (
            <>
              <Table caption="Jobs" rows={data.jobs.map((j) => live.value.get(j.id) ?? j)} rowKey={(j) => j.id}
                empty={<Empty what={kind || state ? 'No job is like that' : 'No job has run yet'}>{kind || state ? <button type="button" class="quiet" onClick={() => setQuery({ kind: undefined, state: undefined })}>Show all</button> : 'A backup, a verification, a copy: each is listed here with its log.'}</Empty>}
                columns={[
                  { key: 'id', title: 'Job', head: true, cell: (j) => <a href={`/jobs/${j.id}`}>{j.id}</a> },
                  { key: 'what', title: 'What', cell: (j) => <div class="stack tight"><span>{kKinds[j.kind]} <span class="muted small"><Brief>{withoutVerb(j.does)}</Brief></span></span>{j.state === 'running' ? <JobProgress job={j} /> : null}</div> },
                  { key: 'state', title: 'State', cell: (j) => <JobBadge job={j} /> },
                  { key: 'who', title: 'Started by', wide: true, cell: (j) => j.who },
                  { key: 'when', title: 'When', wide: true, cell: (j) => <Time at={j.started ?? j.queued} style="spoken" /> },
                  { key: 'took', title: 'Took', number: true, wide: true, cell: (j) => <Duration seconds={jobSeconds(j)} /> },
                  { key: 'findings', title: 'Findings', number: true, wide: true, cell: (j) => (j.findings ? j.findings : '') },
                  { key: 'act', title: 'Actions', actions: true, cell: (j) => (goesOn(j) ? <StopButton job={j} look="small" /> : null) },
                ]} />
              {data.next ? <More onAct={more} /> : null}
            </>
          )}
        </Loaded>
      </section>
    </div>
  );
}
