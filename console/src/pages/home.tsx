// "If this server burns now, what comes back, from when, how long does it take, and when was that proven?"
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { call } from '../api/client';
import { active } from '../api/live';
import { Loaded, useResource } from '../api/resource';
import type { Job, Schedule, Status } from '../api/schema';
import { roughly, spanWords } from '../format/time';
import { counted } from '../format/size';
import { Criticality, kLevels, ScheduleBadge } from '../words';
import { Act, startJob } from '../ui/act';
import { AlertList } from '../ui/alert_list';
import { Icon } from '../ui/icons';
import { JobLine1, JobProgress } from '../ui/job_parts';
import { Badge, Brief, Card, Duration, Empty, Notice, PointLink, Time, now, sentence, stopped, type Tone } from '../ui/parts';
import { Table } from '../ui/table';
import { Timeline } from '../ui/timeline';
import { kDays } from '../ui/timeline_layout';

export function Home(): JSX.Element {
  const status = useResource((abort) => call('status', { abort }), [], ['points', 'alerts', 'settings']);
  useEffect(() => { document.title = 'Home · Holdfast'; }, []);
  return (
    <div class="stack">
      <Loaded from={status} lines={8}>{(s) => <HomeOf status={s} />}</Loaded>
    </div>
  );
}

function HomeOf({ status: s }: { status: Status }): JSX.Element {
  return (
    <>
      <Verdict status={s} />
      {s.service.repository_error ? <Notice tone="bad" what={sentence(s.service.repository_error.detail)} safe={stopped(s.service.repository_error.safe)} hint={sentence(s.service.repository_error.hint)} /> : null}
      {s.service.configuration.error ? (
        <Notice tone="bad" what={sentence(s.service.configuration.error.detail)} safe="the last good settings stay in force." hint={`Put ${s.service.configuration.file} right; it is read again by itself.`} />
      ) : null}
      <Objectives status={s} />
      <div class="columns">
        <div class="stack">
          <Card title={s.attention.length ? `Needs attention (${s.attention.length})` : 'Needs attention'} plain aside={<a href="/alerts">Alerts</a>}>
            {s.attention.length ? <AlertList alerts={s.attention} /> : <Empty what="Nothing needs attention">Everything is covered, fresh and proven as far as Holdfast can tell.</Empty>}
          </Card>
          <PointsOfMonth />
        </div>
        <Work />
      </div>
      <Items status={s} />
      <Outside status={s} />
    </>
  );
}

function Verdict({ status: s }: { status: Status }): JSX.Element {
  const tone: Tone = { yes: 'ok', with_findings: 'warn', no: 'bad', unknown: 'off' }[s.verdict] as Tone;
  const words = {
    yes: 'Yes, this server would come back now',
    with_findings: 'This server would come back now, but something needs attention',
    no: 'This server would not come back now',
    unknown: 'Whether this server would come back is not known',
  }[s.verdict];
  return (
    <section class={`verdict ${tone}`} aria-labelledby="verdict">
      <span class="sign"><Icon name={tone === 'off' ? 'info' : tone} /></span>
      <h1 id="verdict">{words}</h1>
      <p>
        {s.newest_good ? <>As of <Time at={s.newest_good.time} style="spoken" />, from recovery point <PointLink id={s.newest_good.id} />.</>
          : s.verdict === 'unknown' ? 'The repository cannot be looked at now.' : 'No recovery point holds every critical item.'}
        {s.service.running_jobs ? ` ${counted(s.service.running_jobs, 'job')} under way.` : ''}
      </p>
      <div class="row">
        <Act right="operate" look="primary" icon="play" onAct={() => startJob({ kind: 'backup' })}>Back up now</Act>
        <a class="button" href="/recovery">Recovery plan</a>
      </div>
    </section>
  );
}

function Objectives({ status: s }: { status: Status }): JSX.Element {
  const { recovery_point: rpo, recovery_time: rto, proven } = s;
  const unknown = s.verdict === 'unknown';   // not the same as none
  // The age goes on while the page is open.
  const age = s.newest_good ? Math.max(0, (now.value.getTime() - Date.parse(s.newest_good.time)) / 1000) : rpo.age_seconds;
  const late = rpo.met === false || (age !== null && rpo.objective_seconds !== null && age > rpo.objective_seconds);
  const stronglyProven = proven && !proven.failed && (proven.level === 'content' || proven.level === 'restore');
  return (
    <div class="tiles">
      <div class="tile">
        <h2>Comes back as of</h2>
        <div class="value">{s.newest_good ? <Time at={s.newest_good.time} style="spoken" /> : unknown ? 'not known' : 'nothing'}</div>
        <div class="sub">{s.newest_good ? <><Time at={s.newest_good.time} style="ago" />, {s.newest_good.scope === 'full' ? 'all items' : 'a part of the items'}</> : unknown ? 'the repository cannot be looked at' : 'no point with every critical item'}</div>
      </div>
      <div class="tile">
        <h2>Would be lost now (RPO)</h2>
        <div class="value">{age !== null ? roughly(age) : unknown ? 'not known' : 'everything'}</div>
        {age !== null && rpo.objective_seconds ? <progress class={late ? 'bad' : age > 0.8 * rpo.objective_seconds ? 'warn' : 'ok'} value={Math.min(age, rpo.objective_seconds)} max={rpo.objective_seconds} aria-label="Share of the objective that is used" /> : null}
        <div class="sub">{rpo.objective ? <>objective: at most {spanWords(rpo.objective)} {late ? <Badge tone="bad">missed</Badge> : age === null ? null : <Badge tone="ok">met</Badge>}</> : <>no objective is set · <a href="/critical-data-backup#objectives">set one</a></>}</div>
      </div>
      <div class="tile">
        <h2>Coming back takes (RTO)</h2>
        <div class="value">{rto.measured_seconds === null ? 'not measured' : <Duration seconds={rto.measured_seconds} />}</div>
        {rto.measured_seconds !== null && rto.objective_seconds ? <progress class={rto.met === false ? 'bad' : 'ok'} value={Math.min(rto.measured_seconds, rto.objective_seconds)} max={rto.objective_seconds} aria-label="Share of the objective that is used" /> : null}
        <div class="sub">
          {rto.measured_seconds === null ? 'verify at level restore, or recover: that measures it' : <>measured by {rto.measured_by === 'recover' ? 'a recovery' : 'a verification'} <Time at={rto.measured_at} style="ago" /></>}
          {rto.objective ? <>; objective: {spanWords(rto.objective)} {rto.met === null ? null : rto.met ? <Badge tone="ok">met</Badge> : <Badge tone="bad">missed</Badge>}</> : null}
        </div>
      </div>
      <div class="tile">
        <h2>Proven</h2>
        <div class="value">{unknown ? 'not known' : !proven || proven.level === 'none' ? 'never' : proven.failed ? 'damaged' : <Time at={proven.time} style="spoken" />}</div>
        <div class="sub">
          {proven?.failed ? <Badge tone="bad">the newest verification found damage</Badge> : proven && proven.level !== 'none' ? <><Badge tone={stronglyProven ? 'ok' : 'info'}>{proven.level}</Badge> {kLevels[proven.level]}</> : unknown ? 'the repository cannot be looked at' : 'this point was never read back'}
        </div>
      </div>
    </div>
  );
}

function Work(): JSX.Element {
  const schedules = useResource((abort) => call('schedules', { abort }), [], ['schedules', 'settings']);
  const recent = useResource((abort) => call('jobs', { abort, query: { limit: 5 } }), [], ['jobs']);
  const under: Job[] = active();
  return (
    <div class="stack">
      {under.length ? (
        <Card title="Under way">
          {under.map((job) => <div class="stack tight" key={job.id}><div class="break"><JobLine1 job={job} /> · <Brief>{job.does}</Brief></div><JobProgress job={job} /></div>)}
        </Card>
      ) : null}
      <Card title="Next by schedule" plain aside={<a href="/critical-data-backup">Schedules</a>}>
        <Loaded from={schedules} lines={3}>{({ schedules: all }) => <NextRuns schedules={all} />}</Loaded>
      </Card>
      <Card title="Last jobs" plain aside={<a href="/jobs">Jobs</a>}>
        <Loaded from={recent} lines={3}>
          {({ jobs }) => jobs.length ? <ul class="lines">{jobs.map((j) => <li key={j.id}><Brief>{j.does}</Brief><JobLine1 job={j} /></li>)}</ul> : <Empty what="No job has run yet" />}
        </Loaded>
      </Card>
    </div>
  );
}

function NextRuns({ schedules }: { schedules: Schedule[] }): JSX.Element {
  const on = schedules.filter((s) => s.enabled).sort((a, b) => (a.next[0]?.time ?? '9').localeCompare(b.next[0]?.time ?? '9'));
  const off = schedules.length - on.length;
  if (on.length === 0) return <Empty what="No schedule is on: nothing runs by itself">Switch them on at <a href="/critical-data-backup">Critical Data Backup</a>.</Empty>;
  return (
    <>
      <ul class="lines">
        {on.slice(0, 6).map((s) => (
          <li key={s.name}>
            <span class="break">{s.name} <span class="muted">{s.does}</span></span>
            <span>{s.state === 'waiting' ? null : <ScheduleBadge state={s.state} />} {s.next[0] ? <Time at={s.next[0].time} style="spoken" /> : <span class="muted">never comes</span>}</span>
          </li>
        ))}
      </ul>
      {off ? <p class="muted foot">{counted(off, 'schedule')} {off === 1 ? 'is' : 'are'} off.</p> : null}
    </>
  );
}

function PointsOfMonth(): JSX.Element {
  const since = new Date(Date.now() - kDays * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const points = useResource((abort) => call('points', { abort, query: { since, limit: 1000 } }), [], ['points']);
  return (
    <Card title={`Recovery points of the last ${kDays} days`} aside={<a href="/points">All points</a>}>
      <Loaded from={points} lines={3}>
        {({ points: list, total }) => list.length === 0 ? <Empty what="No recovery point in this time" />
          : <><Timeline points={list} />{total > list.length ? <p class="muted">The newest {list.length} of {total} are drawn.</p> : null}</>}
      </Loaded>
    </Card>
  );
}

function Items({ status: s }: { status: Status }): JSX.Element {
  const rank: Record<string, number> = { critical: 0, recommended: 1, optional: 2 };
  return (
    <Card title="Items" plain>
      <Table caption="Items and the newest recovery point that holds each" rows={s.items} rowKey={(i) => i.item} empty={<Empty what="What is held of each item is not known">The repository cannot be looked at now.</Empty>} columns={[
        { key: 'item', title: 'Item', head: true, cell: (i) => <><span title={`If lost: ${i.if_lost}`}>{i.title}</span>{i.problem ? <p class="muted small if-lost">If lost: {i.if_lost}</p> : null}</>, sort: (i) => i.title },
        { key: 'criticality', title: 'Criticality', wide: true, cell: (i) => <Criticality value={i.criticality} />, sort: (i) => rank[i.criticality] ?? 3 },
        { key: 'state', title: 'State', cell: (i) => i.problem ? <Badge tone={i.criticality === 'critical' ? 'bad' : 'warn'}>{i.problem}</Badge> : <Badge tone="ok">in the newest point</Badge>, sort: (i) => i.problem },
        { key: 'time', title: 'Newest point', cell: (i) => i.point ? <a href={`/points/${i.point}`}><Time at={i.time} style="spoken" /></a> : <span class="muted">never</span>, sort: (i) => i.time ?? '' },
        { key: 'proven', title: 'Handling proven on', wide: true, cell: (i) => <span class="muted">{i.proven_on}</span>, sort: (i) => i.proven_on },
      ]} />
    </Card>
  );
}

function Outside({ status: s }: { status: Status }): JSX.Element {
  return (
    <div class="halves">
      <Card title="Left out on purpose">
        {s.excluded.length ? <ul>{s.excluded.map((x) => <li key={x.what}><strong>{x.what}</strong>: {x.reason}</li>)}</ul> : <p class="muted">Nothing is left out on purpose.</p>}
      </Card>
      <Card title="Outside Holdfast">
        <ul>{s.outside.map((o) => <li key={o}>{o}</li>)}</ul>
      </Card>
    </div>
  );
}
