// The wizard's way of backing up: a recovery point in the repository, and from it one backup file where that is wanted.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, may } from '../api/client';
import { jobs, see } from '../api/live';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { Job, System } from '../api/schema';
import { counted } from '../format/size';
import { startJob } from '../ui/act';
import { FindingList } from '../ui/alert_list';
import { JobLine1, JobProgress, JobResult, StopButton, goesOn } from '../ui/job_parts';
import { Brief, Bytes, Facts, Field, Notice, ProblemNotice, tellProblem } from '../ui/parts';
import { Table } from '../ui/table';
import { Criticality } from '../words';
import { ItemChecks } from './point';
import { WizardFrame } from './wizard';

const kSteps = ['Where', 'Items', 'Review', 'Run'] as const;

interface Target { label: string; file: string; password: string; again: string; wanted: boolean }

export function BackupWizard(): JSX.Element {
  const [step, setStep] = useState(0);
  const [target, setTarget] = useState<Target>({ label: '', file: '', password: '', again: '', wanted: false });
  const [left, setLeft] = useState<string[]>([]);
  const system = useResource((abort) => call('system', { abort }), [], ['settings']);
  const names = system.data ? configured(system.data).map((i) => i.name) : [];
  const chosen = names.filter((n) => !left.includes(n));
  const frame = { title: 'Back up', steps: kSteps, step };
  const fileFault = target.wanted && (!target.file.startsWith('/') || target.password === '' || target.password !== target.again);
  if (step === 0)
    return (
      <WizardFrame {...frame} next={fileFault ? null : () => setStep(1)}>
        <Loaded from={system}>{(s) => <Where system={s} target={target} onChange={(c) => setTarget({ ...target, ...c })} />}</Loaded>
      </WizardFrame>
    );
  if (step === 1)
    return (
      <WizardFrame {...frame} back={() => setStep(0)} next={chosen.length ? () => setStep(2) : null}>
        <Loaded from={system}>{(s) => <Items system={s} chosen={chosen} onChange={(next) => setLeft(names.filter((n) => !next.includes(n)))} />}</Loaded>
      </WizardFrame>
    );
  if (step === 2) return <Review frame={frame} items={left.length ? chosen : null} target={target} onBack={() => setStep(1)} onRun={() => setStep(3)} />;
  return <WizardFrame {...frame}><Run items={left.length ? chosen : null} target={target} /></WizardFrame>;
}

const configured = (s: System): System['sections'][number]['items'] => s.sections.flatMap((x) => x.items).filter((i) => i.state === 'configured');

function Where({ system, target, onChange }: { system: System; target: Target; onChange: (changes: Partial<Target>) => void }): JSX.Element {
  const mayExport = may('recover');
  return (
    <>
      <Facts rows={[['Repository', <code key="r">{system.repository}</code>], ['Copies', system.copies.length ? system.copies.map((c) => c.name).join(', ') : 'none']]} />
      <Field label="Label" help="What for; shown in the list of recovery points">{(a) => <input {...a} maxLength={200} value={target.label} placeholder="before the upgrade to 8.7.2" onInput={(e) => onChange({ label: e.currentTarget.value })} />}</Field>
      <label class="check"><input type="checkbox" checked={target.wanted} disabled={!mayExport} onChange={(e) => onChange({ wanted: e.currentTarget.checked })} />
        <span>Also write one backup file with a password of its own{mayExport ? null : <span class="muted"> (your role has no right to export)</span>}</span></label>
      {target.wanted ? (
        <div class="stack tight">
          <Field label="File on the server" help="An absolute path. It should be stored on a different server, for example on a mounted share.">{(a) => <input {...a} class="mono" required pattern="/.+" spellcheck={false} value={target.file} placeholder="/mnt/share/ns01.hfbackup" onInput={(e) => onChange({ file: e.currentTarget.value })} />}</Field>
          <div class="fields">
            <Field label="Password of the file" help="You need it to restore. Holdfast keeps it nowhere.">{(a) => <input {...a} type="password" required autocomplete="new-password" value={target.password} onInput={(e) => onChange({ password: e.currentTarget.value })} />}</Field>
            <Field label="Password again" wrong={target.again !== '' && target.again !== target.password ? 'The two are not the same' : undefined}>{(a) => <input {...a} type="password" required autocomplete="new-password" value={target.again} onInput={(e) => onChange({ again: e.currentTarget.value })} />}</Field>
          </div>
        </div>
      ) : null}
    </>
  );
}

function Items({ system, chosen, onChange }: { system: System; chosen: string[]; onChange: (chosen: string[]) => void }): JSX.Element {
  const all = configured(system).map((i) => i.name);
  return (
    <>
      <div class="row"><button type="button" class="small" onClick={() => onChange(all)}>All</button><button type="button" class="small" onClick={() => onChange([])}>None</button><span class="muted" role="status">{chosen.length} of {all.length} chosen</span></div>
      {system.sections.map((s) => {
        const items = s.items.filter((i) => i.state === 'configured');
        return items.length ? (
          <div key={s.name} class="stack tight">
            <h3>{s.title}</h3>
            <ItemChecks items={items.map((i) => ({ name: i.name, text: i.title, more: i.criticality }))} chosen={chosen.filter((c) => items.some((i) => i.name === c))}
              onChange={(next) => onChange([...chosen.filter((c) => !items.some((i) => i.name === c)), ...next])} />
          </div>
        ) : null;
      })}
    </>
  );
}

function Review({ frame, items, target, onBack, onRun }: { frame: { title: string; steps: readonly string[]; step: number }; items: string[] | null; target: Target; onBack: () => void; onRun: () => void }): JSX.Element {
  const review = useResource((abort) => call('reviewBackup', { abort, query: { items: items?.join(',') } }), []);
  return (
    <WizardFrame {...frame} back={onBack} next={review.data ? onRun : null} nextText="Back up">
      <Loaded from={review} lines={8}>
        {(r) => (
          <>
            <p>{counted(r.items.length, 'item')}, <Bytes value={r.bytes} /> to read{target.wanted ? <>; then a backup file <code>{target.file}</code></> : null}.</p>
            <Table caption="What is backed up" rows={r.items} rowKey={(i) => i.name} columns={[
              { key: 'title', title: 'Item', head: true, cell: (i) => i.title },
              { key: 'criticality', title: 'Criticality', cell: (i) => <Criticality value={i.criticality} /> },
              { key: 'bytes', title: 'Size', number: true, cell: (i) => (i.bytes ? <Bytes value={i.bytes} /> : <span class="muted">not known before</span>) },
              { key: 'proven', title: 'Our handling is proven on', wide: true, cell: (i) => <span class="muted">{i.proven_on}</span> },
            ]} />
            {r.left_out.length ? <Notice tone="warn" what={`Not in this backup: ${r.left_out.join(', ')}.`} /> : null}
            {r.not_covered.length ? <><h3>Not covered</h3><FindingList findings={r.not_covered} /></> : <Notice tone="ok" what="Nothing below the server's folder is left uncovered." />}
            {r.excluded.length ? <><h3>Excluded on purpose</h3><ul>{r.excluded.map((x) => <li key={x.what}>{x.what}: {x.reason}</li>)}</ul></> : null}
            <details><summary>Outside Holdfast, to be brought back by other means</summary><ul>{r.outside.map((o) => <li key={o}>{o}</li>)}</ul></details>
          </>
        )}
      </Loaded>
    </WizardFrame>
  );
}

// The latest that is known of a job that this page started; of an ended one with its result, which events leave out when it is large.
export function useLatest(job: Job | null): Job | null {
  const latest = job ? jobs.value.get(job.id) ?? job : null;
  const lacking = latest?.state === 'ended' && latest.result === null ? latest.id : null;
  useEffect(() => {
    if (lacking !== null) call('job', { params: { job: lacking } }).then(see, (error: unknown) => tellProblem(problemOf(error)));
  }, [lacking]);
  return latest;
}

export function JobBlock({ job }: { job: Job }): JSX.Element {
  return (
    <div class="stack tight">
      <div class="row apart"><span><strong><Brief>{job.does}</Brief></strong> <JobLine1 job={job} /></span><StopButton job={job} /></div>
      <JobProgress job={job} />
      <div role="status"><JobResult job={job} /></div>
    </div>
  );
}

function Run({ items, target }: { items: string[] | null; target: Target }): JSX.Element {
  const [started, setStarted] = useState<Job | null>(null);
  const [file, setFile] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const backup = useLatest(started);
  const exported = useLatest(file);
  const begin = (): void => {
    setProblem(null);
    startJob({ kind: 'backup', parameters: { ...(items ? { items } : {}), ...(target.label ? { label: target.label } : {}) } }).then(setStarted, (e: unknown) => setProblem(problemOf(e)));
  };
  const point = backup && !goesOn(backup) && (backup.outcome === 'done' || backup.outcome === 'findings') && typeof backup.result?.['point'] === 'string' ? backup.result['point'] : null;
  const write = (): void => {
    if (!point) return;
    setProblem(null);
    startJob({ kind: 'export', parameters: { point, file: target.file, file_password: target.password } }).then(setFile, (e: unknown) => setProblem(problemOf(e)));
  };
  useEffect(begin, []);
  useEffect(() => { if (point && target.wanted && !file) write(); }, [point]);
  return (
    <>
      {problem ? <ProblemNotice problem={problem} again={started ? write : begin} /> : null}
      {backup ? <JobBlock job={backup} /> : problem ? null : <p role="status">Starting</p>}
      {target.wanted ? (exported ? <JobBlock job={exported} /> : <p class="muted">{backup && !goesOn(backup) && !point ? 'The backup file was not written, as there is no recovery point for it.' : 'The backup file is written when the recovery point is there: keep this page open until then.'}</p>) : null}
      {point ? <div class="row"><a class="button" href={`/points/${point}`}>Look at the recovery point</a><a class="button" href="/">Home</a></div> : null}
    </>
  );
}
