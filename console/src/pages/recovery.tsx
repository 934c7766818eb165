// Recovery: the plan for one point on this machine with every check, then the run itself, step by step, to its journal.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, may } from '../api/client';
import { jobs, see } from '../api/live';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { Job, Plan, Recovery as Journal } from '../api/schema';
import { counted } from '../format/size';
import { place } from '../router';
import { Act, queued, startJob } from '../ui/act';
import { FindingList } from '../ui/alert_list';
import { Icon } from '../ui/icons';
import { JobProgress, JobResult, StopButton, goesOn } from '../ui/job_parts';
import { Badge, Card, Dialog, Empty, Facts, Field, Notice, PageHead, PointLink, ProblemNotice, Time, sentence, stopped } from '../ui/parts';
import { Table } from '../ui/table';
import { JobBadge, kGroups, kStep } from '../words';
import { groups, shownSteps, waiting, type ShownStep } from './recovery_model';

export function Recovery(): JSX.Element {
  const wanted = place.value.query.get('point') ?? undefined;
  const plan = useResource((abort) => call('plan', { abort, query: { point: wanted } }), [wanted], ['points', 'settings']);
  const journals = useResource((abort) => call('recoveries', { abort }), [], ['jobs']);
  const newest = useResource(async (abort) => {
    const [listed] = (await call('jobs', { abort, query: { kind: 'recover', limit: 1 } })).jobs;
    if (!listed) return null;
    const whole = await call('job', { abort, params: { job: listed.id } });   // lists leave results out
    see(whole);
    return whole;
  }, [], ['jobs']);
  const [starting, setStarting] = useState(false);
  const known = newest.data ? jobs.value.get(newest.data.id) ?? newest.data : null;
  const job = known && (goesOn(known) || journals.data?.recoveries[0]?.finished === null || recent(known)) ? known : null;
  const running = job !== null && goesOn(job);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(journals.reload, 2000);
    return () => clearInterval(timer);
  }, [running]);
  return (
    <div class="stack">
      <PageHead title="Recovery" lead="The steps that bring the server back, in their order. Nothing is changed before you start.">
        <a class="button" href={`/recovery/run-book${wanted ? `?point=${encodeURIComponent(wanted)}` : ''}`}><Icon name="print" />Run-book</a>
        <Act right="recover" look="primary" icon="recover" disabled={!plan.data || running || plan.data.unfinished !== null} why={running ? 'A recovery is under way' : plan.data?.unfinished ? 'Go on with the one that was begun' : 'The plan is not there yet'} onAct={() => setStarting(true)}>Start recovery</Act>
      </PageHead>
      {job ? <Run job={job} /> : null}
      <Loaded from={plan} lines={10}>
        {(p) => {
          const journal = journals.data?.recoveries.find((r) => r.name === p.unfinished) ?? (job ? journals.data?.recoveries[0] ?? null : null);
          const steps = shownSteps(p, journal, job);
          return (
            <>
              {p.unfinished && !running ? <Unfinished name={p.unfinished} /> : null}
              <Checks plan={p} />
              <Steps steps={steps} job={job} />
              {starting ? <StartDialog plan={p} onClose={() => setStarting(false)} /> : null}
            </>
          );
        }}
      </Loaded>
      <Card title="Journal" plain>
        <Loaded from={journals} lines={3}>{({ recoveries }) => <Journals recoveries={recoveries} />}</Loaded>
      </Card>
    </div>
  );
}

// What a recovery said an hour ago is still of interest; what one said last year is in the journal.
const recent = (job: Job): boolean => job.ended !== null && Date.now() - Date.parse(job.ended) < 24 * 3_600_000;

function Run({ job }: { job: Job }): JSX.Element {
  return (
    <Card title={`Recovery, job ${job.id}`} aside={<><JobBadge job={job} /><StopButton job={job} /><a class="button" href={`/jobs/${job.id}`}>Log</a></>}>
      <JobProgress job={job} />
      <div role="status"><JobResult job={job} /></div>
    </Card>
  );
}

function Unfinished({ name }: { name: string }): JSX.Element {
  return (
    <Notice tone="warn" what="A recovery was begun here and is not finished." hint="What was done stays done; going on does the rest."
      act={<Act right="recover" look="primary" icon="play" onAct={() => startJob({ kind: 'recover', parameters: { resume: true } })}>Go on with it</Act>}>
      <span class="mono">{name}</span>
    </Notice>
  );
}

function Checks({ plan: p }: { plan: Plan }): JSX.Element {
  const failed = p.preflight.filter((c) => !c.passed).length;
  const blocking = p.differences.filter((d) => d.blocking).length;
  return (
    <>
      {p.passed ? <Notice tone="ok" what="A recovery could begin on this machine now." />
        : <Notice tone="warn" what={sentence(p.refusal?.detail ?? 'A recovery could not begin on this machine')} safe={stopped(p.refusal?.safe ?? 'nothing was changed')} hint={sentence(p.refusal?.hint ?? '') || undefined} />}
      <div class="columns">
        <Card title="Checks before anything is touched" plain aside={failed ? <Badge tone="bad">{failed} failed</Badge> : <Badge tone="ok">{p.preflight.length} passed</Badge>}>
          <Table caption="Checks" rows={p.preflight} rowKey={(c) => c.name} empty={<Empty what="There is nothing to check" />} columns={[
            { key: 'name', title: 'Check', head: true, cell: (c) => c.name },
            { key: 'passed', title: 'Result', cell: (c) => (c.passed ? <Badge tone="ok">passed</Badge> : <Badge tone="bad">failed</Badge>) },
            { key: 'detail', title: 'Detail', wide: true, cell: (c) => <span class="muted break">{c.detail}</span> },
          ]} />
        </Card>
        <Card title="From" aside={<a href="/points">Another point</a>}>
          <Facts rows={[
            ['Recovery point', <PointLink key="p" id={p.point} />],
            ['As of', <Time key="t" at={p.time} />],
            ['Order', p.install_first ? 'installation before the database' : 'database before the installation'],
            ['This machine', p.differences.length ? `${counted(p.differences.length, 'difference')}, ${blocking} blocking` : 'is what the lost server was'],
          ]} />
        </Card>
      </div>
      {p.differences.length ? (
        <Card title="This machine and the lost server" plain>
          <Table caption="Differences to the identity card" rows={p.differences} rowKey={(d) => d.what} columns={[
            { key: 'what', title: 'What', head: true, cell: (d) => d.what.replace(/_/g, ' ') },
            { key: 'lost', title: 'Lost server', cell: (d) => <span class="break">{d.lost}</span> },
            { key: 'here', title: 'This machine', cell: (d) => <span class="break">{d.here}</span> },
            { key: 'blocking', title: 'Means', cell: (d) => (d.blocking ? <Badge tone="bad">blocks</Badge> : <Badge tone="info">is noted</Badge>) },
          ]} />
        </Card>
      ) : null}
      {p.findings.length ? <Card title="Findings" plain><FindingList findings={p.findings} /></Card> : null}
    </>
  );
}

function Steps({ steps, job }: { steps: ShownStep[]; job: Job | null }): JSX.Element {
  const done = steps.filter((s) => s.state === 'done').length;
  const open = job !== null && job.state === 'ended' ? waiting(steps) : [];
  return (
    <>
      {open.length ? <Notice tone="info" what={`${counted(open.length, 'step')} ${open.length === 1 ? 'is' : 'are'} left to you.`} hint="Do what each says, then say that it is done: the recovery goes on." /> : null}
      {groups(steps).map((g) => (
        <Card key={`${g.group}${g.steps[0]?.name ?? ''}`} title={kGroups[g.group] ?? `Group ${g.group}`} plain aside={<span class="muted small">{g.steps.filter((s) => s.state === 'done').length} of {g.steps.length} done</span>}>
          <ol class="plan">{g.steps.map((s) => <StepLine key={s.name} step={s} job={open.includes(s) ? job : null} />)}</ol>
        </Card>
      ))}
      <p class="muted small">{done} of {counted(steps.length, 'step')} done.</p>
    </>
  );
}

function StepLine({ step: s, job }: { step: ShownStep; job: Job | null }): JSX.Element {
  const word = s.current ? { tone: 'info' as const, text: 'Under way', icon: 'running' as const } : kStep[s.state];
  return (
    <li>
      <span class={`sign ${word.tone}`}><Icon name={word.icon ?? (word.tone === 'off' ? 'clock' : word.tone)} /></span>
      <div><strong>{s.title}</strong> <span class="muted mono small">{s.name}</span></div>
      <div class="act row"><Badge tone={word.tone} {...(word.icon ? { icon: word.icon } : {})}>{word.text}</Badge></div>
      {s.detail ? <div class="detail">{s.detail}</div> : null}
      {s.does.length ? <Does what={s.does} /> : null}
      {s.by_person && s.instructions && s.state !== 'done' ? (
        <div class="person">
          <p>{s.instructions.trim()}</p>
          {job ? <Acknowledge step={s} job={job} /> : s.deferrable ? <p class="muted small">This may be left until the end.</p> : null}
        </div>
      ) : null}
    </li>
  );
}

const kDoesShown = 4;

function Does({ what }: { what: string[] }): JSX.Element {
  const list = <ul>{what.map((d) => <li key={d}>{d}</li>)}</ul>;
  if (what.length <= kDoesShown) return <div class="does">{list}</div>;
  return <details class="does"><summary>{counted(what.length, 'thing')} in this step</summary>{list}</details>;
}

function Acknowledge({ step, job }: { step: ShownStep; job: Job }): JSX.Element {
  return <Act right="recover" look="primary small" icon="ok" onAct={async () => { const next = await call('acknowledge', { params: { job: job.id }, body: { steps: [step.name] } }); see(next); queued(next); }}>I have done this</Act>;
}

function StartDialog({ plan, onClose }: { plan: Plan; onClose: () => void }): JSX.Element {
  const confirm = plan.steps.filter((s) => s.kind === 'confirm');
  const [confirmed, setConfirmed] = useState<string[]>([]);
  const [skipped, setSkipped] = useState<Record<string, string>>({});
  const [head, setHead] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const reasonless = Object.values(skipped).some((r) => r.trim() === '');
  const ready = confirmed.length === confirm.length && !reasonless && !busy && may('recover');
  const start = async (): Promise<void> => {
    if (!ready) return;
    setBusy(true);
    setProblem(null);
    try {
      await startJob({ kind: 'recover', parameters: { point: plan.point, acknowledge: confirmed, ...(Object.keys(skipped).length ? { skip: skipped } : {}), ...(head ? { expect_head: head } : {}) } });
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Start the recovery" large onClose={onClose} onSubmit={() => { void start(); }}
      actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="danger" aria-disabled={ready ? undefined : 'true'}>Start recovery</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <p>This machine becomes the server as of <Time at={plan.time} />, from recovery point <PointLink id={plan.point} />. The database that is there is renamed, never dropped; configuration and content are replaced.</p>
      {plan.passed ? null : <Notice tone="warn" what={sentence(plan.refusal?.detail ?? 'A recovery could not begin on this machine')} hint="It would be refused before anything is touched." />}
      {confirm.map((s) => (
        <label class="check" key={s.name}><input type="checkbox" checked={confirmed.includes(s.name)} onChange={(e) => setConfirmed(e.currentTarget.checked ? [...confirmed, s.name] : confirmed.filter((c) => c !== s.name))} />
          <span><strong>{s.title}</strong><br /><span class="muted">{s.instructions}</span></span></label>
      ))}
      <Field label="Head code from the kit" help="Proves that the repository holds nothing older than what you had. Without it that is a finding.">{(a) => <input {...a} class="mono" spellcheck={false} value={head} onInput={(e) => setHead(e.currentTarget.value.trim())} />}</Field>
      <details>
        <summary>Leave steps out{Object.keys(skipped).length ? ` (${Object.keys(skipped).length})` : ''}</summary>
        <div class="stack tight">
          {plan.steps.filter((s) => s.kind !== 'confirm').map((s) => (
            <div key={s.name} class="stack tight">
              <label class="check"><input type="checkbox" checked={s.name in skipped} onChange={(e) => { const next = { ...skipped }; if (e.currentTarget.checked) next[s.name] = ''; else delete next[s.name]; setSkipped(next); }} /><span>{s.title}</span></label>
              {s.name in skipped ? <input aria-label={`Reason for leaving out ${s.title}`} placeholder="Reason, recorded in the journal" required value={skipped[s.name]} onInput={(e) => setSkipped({ ...skipped, [s.name]: e.currentTarget.value })} /> : null}
            </div>
          ))}
        </div>
      </details>
    </Dialog>
  );
}

function Journals({ recoveries }: { recoveries: Journal[] }): JSX.Element {
  if (recoveries.length === 0) return <Empty what="No recovery was begun on this machine" />;
  return (
    <div>
      {recoveries.map((r) => (
        <details class="items" key={r.name}>
          <summary><Time at={r.begun} /> {r.finished === null ? <Badge tone="warn" icon="clock">not finished</Badge> : r.complete ? <Badge tone="ok">complete</Badge> : <Badge tone="warn">as far as told</Badge>} <span class="muted">{r.system}, point {r.point.slice(0, 12)}</span></summary>
          <Table caption={`Journal of ${r.name}`} rows={r.steps} rowKey={(s) => s.step + s.time + s.state} empty={<Empty what="No step was begun" />} columns={[
            { key: 'time', title: 'Time', cell: (s) => <Time at={s.time} seconds /> },
            { key: 'step', title: 'Step', head: true, cell: (s) => s.step },
            { key: 'state', title: 'State', cell: (s) => s.state.replace(/_/g, ' ') },
            { key: 'detail', title: 'Detail', wide: true, cell: (s) => <span class="muted break">{s.detail}</span> },
          ]} />
        </details>
      ))}
    </div>
  );
}
