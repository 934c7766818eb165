// A job while one watches: progress, stop, log, result.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, session, urlOf, type Right } from '../api/client';
import { jobs, see } from '../api/live';
import { problemOf } from '../api/problem';
import type { Job, JobLine, Progress } from '../api/schema';
import { humanBytes, percent } from '../format/size';
import { humanSeconds } from '../format/time';
import { JobBadge } from '../words';
import { Act } from './act';
import { shownLine, type ShownLine } from './log';
import { Bytes, Duration, Notice, PointLink, Time, now, sentence, stopped, tellProblem } from './parts';

const kRight: Record<Job['kind'], Right> = {
  backup: 'operate', verify: 'operate', check: 'operate', copy: 'operate', kit: 'operate', export: 'recover', restore: 'recover', recover: 'recover',
  retention: 'retention', prune: 'retention',
};
export const rightOf = (kind: Job['kind']): Right => kRight[kind];

export const goesOn = (job: Job): boolean => job.state === 'queued' || job.state === 'running';

export function StopButton({ job, look = '' }: { job: Job; look?: string }): JSX.Element | null {
  if (!goesOn(job)) return null;
  return (
    <Act right={kRight[job.kind]} icon="stop" look={look} disabled={job.stopping} why="It was asked to stop already" onAct={async () => see(await call('stopJob', { params: { job: job.id } }))}>
      {job.state === 'queued' ? 'Withdraw' : job.stopping ? 'Stopping' : 'Stop'}
    </Act>
  );
}

export function JobProgress({ job }: { job: Job }): JSX.Element | null {
  if (job.state === 'queued') return <p class="muted">Waits for its turn: jobs run one after the other.</p>;
  if (job.state !== 'running') return null;
  const p = job.progress;
  const known = p !== null && p.bytes_total > 0;
  return (
    <div class="stack tight" aria-live="off">
      <progress aria-label={`Progress of job ${job.id}`} {...(known ? { value: Math.min(p.bytes, p.bytes_total), max: p.bytes_total } : {})} />
      <p class="muted small">{p ? progressText(p) : 'Starting'}</p>
    </div>
  );
}

export function progressText(p: Progress): string {
  const rate = p.seconds > 1 ? p.bytes / p.seconds : 0;
  const parts = [p.phase, p.bytes_total > 0 ? `${humanBytes(p.bytes)} of ${humanBytes(p.bytes_total)} (${percent(Math.min(1, p.bytes / p.bytes_total))})` : humanBytes(p.bytes)];
  if (rate > 0) parts.push(`${humanBytes(rate)}/s`);
  if (rate > 0 && p.bytes_total > p.bytes) parts.push(`${humanSeconds((p.bytes_total - p.bytes) / rate)} left`);
  return parts.filter(Boolean).join(' · ');
}

export function jobSeconds(job: Job): number | null {
  if (!job.started) return null;
  const end = job.ended ? Date.parse(job.ended) : now.value.getTime();
  return Math.max(0, (end - Date.parse(job.started)) / 1000);
}

// A job followed to its end, with its log, over a stream of its own.
export function useJob(id: number): { job: Job | null; lines: ShownLine[]; first: number; lost: boolean } {
  const [job, setJob] = useState<Job | null>(jobs.value.get(id) ?? null);
  const [lines, setLines] = useState<ShownLine[]>([]);
  const [lost, setLost] = useState(false);
  const [again, setAgain] = useState(0);
  const seen = useRef(0);
  const key = `${id}/${session.value?.who ?? ''}`;
  useEffect(() => { seen.current = 0; setLines([]); setJob(jobs.value.get(id) ?? null); }, [id]);
  useEffect(() => {
    const stream = new EventSource(urlOf('/jobs/{job}/events', { job: id }, { after: seen.current || undefined }));
    let retry: ReturnType<typeof setTimeout> | undefined;
    let pending: ShownLine[] = [];
    let flush: ReturnType<typeof setTimeout> | undefined;
    const take = (event: Event): void => {
      const taken = JSON.parse((event as MessageEvent<string>).data) as Job;
      setJob(taken);
      see(taken);
    };
    stream.addEventListener('open', () => setLost(false));
    stream.addEventListener('job', take);
    stream.addEventListener('progress', (event) => {
      const progress = JSON.parse((event as MessageEvent<string>).data) as Progress;
      setJob((old) => (old ? { ...old, progress } : old));
    });
    stream.addEventListener('line', (event) => {
      const line = JSON.parse((event as MessageEvent<string>).data) as JobLine;
      if (line.number <= seen.current) return;
      seen.current = line.number;
      pending.push(shownLine(line.number, line.text));
      flush ??= setTimeout(() => {
        flush = undefined;
        const more = pending;
        pending = [];
        setLines((old) => [...old, ...more].slice(-kLinesShown));
      }, 100);
    });
    stream.addEventListener('end', (event) => {
      take(event);
      stream.close();
      // A large result is left out of events.
      call('job', { params: { job: id } }).then((whole) => { setJob(whole); see(whole); }, (error: unknown) => tellProblem(problemOf(error)));
    });
    stream.addEventListener('error', () => {
      setLost(true);
      if (stream.readyState === EventSource.CLOSED) retry = setTimeout(() => setAgain((n) => n + 1), 3000);
    });
    return () => {
      stream.close();
      clearTimeout(retry);
      clearTimeout(flush);
      if (pending.length) setLines((old) => [...old, ...pending].slice(-kLinesShown));
    };
  }, [key, again]);
  return { job, lines, first: lines[0]?.number ?? 1, lost };
}

// As many as the service keeps of a job would slow the page down; the rest is a click away.
export const kLinesShown = 2000;

export function Log({ lines, first, running }: { lines: ShownLine[]; first: number; running: boolean }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  useEffect(() => {
    if (box.current && follow.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <div class="log" ref={box} tabIndex={0} role="log" aria-label="Log" aria-live="off"
      onScroll={(event) => { const b = event.currentTarget; follow.current = b.scrollHeight - b.scrollTop - b.clientHeight < 24; }}>
      <ol>
        {first > 1 ? <li class="faint"><span>…</span><span>{first - 1} earlier lines are not shown</span></li> : null}
        {lines.map((l) => <li key={l.number} class={l.tone}><span>{l.number}</span><span>{l.text}</span></li>)}
        {lines.length === 0 ? <li class="faint"><span /><span>{running ? 'No line yet.' : 'It said nothing, or its log is not kept any more.'}</span></li> : null}
      </ol>
    </div>
  );
}

const str = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const num = (value: unknown): number | null => (typeof value === 'number' ? value : null);

// What became of an ended job, in the words of its kind.
export function JobResult({ job }: { job: Job }): JSX.Element | null {
  if (job.state === 'interrupted') return <Notice tone="bad" what="The service ended while this job ran." safe="recovery points that were there before are whole." hint="A scheduled job runs again by itself; start others again." />;
  if (job.state !== 'ended') return null;
  const r = job.result ?? {};
  if (str(r['message']) && job.outcome !== 'done')
    return (
      <Notice tone={job.outcome === 'stopped' ? 'off' : 'bad'} what={sentence(str(r['message']) ?? '')} safe={stopped(str(r['safe']) ?? '') || undefined} hint={sentence(str(r['hint']) ?? '') || undefined}>
        <span class="muted">code {str(r['code']) ?? '?'} · exit {job.exit}</span>
      </Notice>
    );
  const point = str(r['point']) ?? str(r['id']);
  const facts: JSX.Element[] = [];
  if (point) facts.push(<span>Recovery point <PointLink id={point} /></span>);
  if (num(r['bytes_read']) !== null) facts.push(<span><Bytes value={num(r['bytes_read'])} /> read, <Bytes value={num(r['bytes_stored'])} /> new in the repository</span>);
  else if (num(r['bytes']) !== null) facts.push(<span><Bytes value={num(r['bytes'])} /></span>);
  for (const key of ['file', 'folder', 'to'] as const) if (str(r[key])) facts.push(<code>{str(r[key])}</code>);
  const failed = (Array.isArray(r['items']) ? (r['items'] as Record<string, unknown>[]) : []).filter((i) => i['status'] === 'failed' || str(i['error']));
  const tone = job.outcome === 'done' ? 'ok' : job.outcome === 'findings' ? 'warn' : job.outcome === 'stopped' ? 'off' : 'bad';
  const what = { done: 'Done.', findings: `Done, with ${job.findings} finding${job.findings === 1 ? '' : 's'}: each is named in the log.`, failed: `Failed with exit code ${job.exit}.`, stopped: 'Stopped.', interrupted: 'Interrupted.' }[job.outcome ?? 'failed'];
  return (
    <Notice tone={tone} what={what}>
      {facts.length ? <div class="row">{facts}</div> : null}
      {failed.length ? <div>Failed items: {failed.map((i) => str(i['name']) ?? str(i['item'])).join(', ')}</div> : null}
    </Notice>
  );
}

export function JobLine1({ job }: { job: Job }): JSX.Element {
  return (
    <span>
      <JobBadge job={job} /> <a href={`/jobs/${job.id}`}>job {job.id}</a> <span class="muted">
        {job.ended ? <Time at={job.ended} style="ago" /> : job.started ? <>since <Time at={job.started} style="spoken" /></> : <>queued <Time at={job.queued} style="ago" /></>}
        {job.ended && job.started ? <> · <Duration seconds={jobSeconds(job)} /></> : null}
      </span>
    </span>
  );
}
