// The wizard's way of restoring: from a recovery point or a backup file, the items that one picks, into a folder or to where they were.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { Job, NewRestore, Point } from '../api/schema';
import { counted, humanBytes } from '../format/size';
import { local, parseTime } from '../format/time';
import { startJob } from '../ui/act';
import { Badge, Bytes, Facts, Field, Notice, ProblemNotice, Time, withShortIds } from '../ui/parts';
import { Table } from '../ui/table';
import { kOrigin } from '../words';
import { ItemChecks } from './point';
import { WizardFrame } from './wizard';
import { JobBlock, useLatest } from './wizard_backup';

const kSteps = ['From', 'Items', 'Where to', 'Review', 'Run'] as const;

interface From { kind: 'point' | 'file'; id: string; file: string; password: string }
interface To { kind: 'folder' | 'in_place'; folder: string; privileged: boolean }

export function RestoreWizard({ from: given }: { from: string }): JSX.Element {
  const [step, setStep] = useState(0);
  const [from, setFrom] = useState<From>({ kind: 'point', id: given, file: '', password: '' });
  const [to, setTo] = useState<To>({ kind: 'folder', folder: '', privileged: false });
  const [point, setPoint] = useState<Point | null>(null);
  const [left, setLeft] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const frame = { title: 'Restore', steps: kSteps, step };
  const items = point ? point.items.filter((i) => i.status !== 'failed').map((i) => i.name) : [];
  const chosen = items.filter((i) => !left.includes(i));
  const open = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      if (from.kind === 'point') {
        setPoint(await call('point', { params: { id: from.id } }));
      } else {
        const { points } = await call('lookIntoFile', { body: { file: from.file, file_password: from.password } });
        setPoint(points[0] ?? null);
      }
      setLeft([]);
      setStep(1);
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  if (step === 0) {
    const ready = from.kind === 'point' ? from.id !== '' : from.file.startsWith('/') && from.password !== '';
    return (
      <WizardFrame {...frame} next={ready ? () => { void open(); } : null} busy={busy}>
        {problem ? <ProblemNotice problem={problem} /> : null}
        <Source from={from} onChange={(c) => setFrom((old) => ({ ...old, ...c }))} />
      </WizardFrame>
    );
  }
  if (step === 1)
    return (
      <WizardFrame {...frame} back={() => setStep(0)} next={chosen.length ? () => setStep(2) : null}>
        {point ? <Items point={point} items={items} chosen={chosen} onChange={(next) => setLeft(items.filter((i) => !next.includes(i)))} /> : <Notice tone="warn" what="The file holds no recovery point." />}
      </WizardFrame>
    );
  if (step === 2)
    return (
      <WizardFrame {...frame} back={() => setStep(1)} next={to.kind === 'in_place' || to.folder.startsWith('/') ? () => setStep(3) : null}>
        <Target to={to} onChange={(c) => setTo({ ...to, ...c })} />
      </WizardFrame>
    );
  const job: NewRestore = {
    kind: 'restore',
    parameters: {
      point: point?.id ?? '',
      ...(left.length ? { items: chosen } : {}),
      ...(from.kind === 'file' ? { from: from.file, file_password: from.password } : {}),
      ...(to.kind === 'folder' ? { to: to.folder, ...(to.privileged ? { privileged: true } : {}) } : { in_place: true }),
    },
  };
  if (step === 3) return <Review frame={frame} job={job} to={to} onBack={() => setStep(2)} onRun={() => setStep(4)} />;
  return <WizardFrame {...frame}><Run job={job} to={to} /></WizardFrame>;
}

function Source({ from, onChange }: { from: From; onChange: (changes: Partial<From>) => void }): JSX.Element {
  const points = useResource((abort) => call('points', { abort, query: { limit: 500 } }), [], ['points']);
  useEffect(() => {
    const newest = points.data?.points.find((p) => p.status !== 'incomplete');
    if (from.id === '' && newest) onChange({ id: newest.id });
  }, [points.data]);
  return (
    <>
      <fieldset class="choice">
        <legend class="hidden-text">From what</legend>
        <label><input type="radio" name="from" checked={from.kind === 'point'} onChange={() => onChange({ kind: 'point' })} /><strong>Recovery point</strong><span>In the repository of this server</span></label>
        <label><input type="radio" name="from" checked={from.kind === 'file'} onChange={() => onChange({ kind: 'file' })} /><strong>Backup file</strong><span>With the password that it was written with</span></label>
      </fieldset>
      {from.kind === 'point' ? (
        <Loaded from={points} lines={2}>
          {({ points: list }) => list.length === 0 ? <Notice tone="warn" what="The repository holds no recovery point." /> : (
            <Field label="Recovery point">
              {(a) => (
                <select {...a} value={from.id} onChange={(e) => onChange({ id: e.currentTarget.value })}>
                  {list.some((p) => p.id === from.id) || from.id === '' ? null : <option value={from.id}>{from.id.slice(0, 12)}</option>}
                  {list.map((p) => {
                    const time = parseTime(p.time);
                    return <option key={p.id} value={p.id}>{time ? local(time) : p.time} · {kOrigin[p.origin]} · {p.status.replace(/_/g, ' ')} · {humanBytes(p.bytes)}{p.label ? ` · ${withShortIds(p.label)}` : ''}</option>;
                  })}
                </select>
              )}
            </Field>
          )}
        </Loaded>
      ) : (
        <div class="fields">
          <Field label="Backup file on the server" help="An absolute path">{(a) => <input {...a} class="mono" required pattern="/.+" spellcheck={false} value={from.file} placeholder="/mnt/share/ns01.hfbackup" onInput={(e) => onChange({ file: e.currentTarget.value })} />}</Field>
          <Field label="Password of the file">{(a) => <input {...a} type="password" required autocomplete="off" value={from.password} onInput={(e) => onChange({ password: e.currentTarget.value })} />}</Field>
        </div>
      )}
    </>
  );
}

function Items({ point, items, chosen, onChange }: { point: Point; items: string[]; chosen: string[]; onChange: (chosen: string[]) => void }): JSX.Element {
  const failed = point.items.filter((i) => i.status === 'failed');
  return (
    <>
      <Facts rows={[['System', point.system], ['As of', <Time key="t" at={point.time} />], ['Made', kOrigin[point.origin]]]} />
      <div class="row"><button type="button" class="small" onClick={() => onChange(items)}>All</button><button type="button" class="small" onClick={() => onChange([])}>None</button><span class="muted" role="status">{chosen.length} of {items.length} chosen</span></div>
      <ItemChecks items={point.items.filter((i) => i.status !== 'failed').map((i) => ({ name: i.name, text: i.name, more: `${humanBytes(i.bytes)}, ${counted(i.files, 'file')}` }))} chosen={chosen} onChange={onChange} />
      {failed.length ? <Notice tone="warn" what={`Not whole in this point: ${failed.map((i) => i.name).join(', ')}.`} /> : null}
    </>
  );
}

function Target({ to, onChange }: { to: To; onChange: (changes: Partial<To>) => void }): JSX.Element {
  return (
    <>
      <fieldset class="choice">
        <legend class="hidden-text">Where to</legend>
        <label><input type="radio" name="to" checked={to.kind === 'folder'} onChange={() => onChange({ kind: 'folder' })} /><strong>Into a folder</strong><span>To look at. Nothing on the server is replaced.</span></label>
        <label><input type="radio" name="to" checked={to.kind === 'in_place'} onChange={() => onChange({ kind: 'in_place' })} /><strong>To where they were</strong><span>Replaces what is there now. Stop the services that use it first.</span></label>
      </fieldset>
      {to.kind === 'folder' ? (
        <>
          <Field label="Folder on the server" help="An absolute path; it is made when it is not there">{(a) => <input {...a} class="mono" required pattern="/.+" spellcheck={false} value={to.folder} placeholder="/srv/restored" onInput={(e) => onChange({ folder: e.currentTarget.value })} />}</Field>
          <label class="check"><input type="checkbox" checked={to.privileged} onChange={(e) => onChange({ privileged: e.currentTarget.checked })} /><span>With setuid bits, device nodes and security attributes <span class="muted">(left out otherwise)</span></span></label>
        </>
      ) : <Notice tone="warn" what="What is there now is replaced." hint="A backup before it (Back up now) lets you go back." />}
    </>
  );
}

function Review({ frame, job, to, onBack, onRun }: { frame: { title: string; steps: readonly string[]; step: number }; job: NewRestore; to: To; onBack: () => void; onRun: () => void }): JSX.Element {
  const review = useResource((abort) => call('reviewRestore', { abort, body: job }), []);
  const room = review.data && review.data.free_bytes !== null && review.data.free_bytes < review.data.bytes;
  const replaced = review.data?.items.filter((i) => i.replaces).length ?? 0;
  return (
    <WizardFrame {...frame} back={onBack} next={review.data ? onRun : null} nextText="Restore" danger={to.kind === 'in_place'}>
      <Loaded from={review} lines={6}>
        {(r) => (
          <>
            <p>{counted(r.items.length, 'item')}, <Bytes value={r.bytes} />{r.free_bytes !== null ? <>; free there: <Bytes value={r.free_bytes} /></> : null}.</p>
            {room ? <Notice tone="bad" what="There is not enough room at that place." /> : null}
            {replaced ? <Notice tone="warn" what={`${counted(replaced, 'item')} on this server ${replaced === 1 ? 'is' : 'are'} replaced.`} /> : null}
            <Table caption="What is restored, and where to" rows={r.items} rowKey={(i) => i.item} columns={[
              { key: 'title', title: 'Item', head: true, cell: (i) => i.title || i.item },
              { key: 'place', title: 'Goes to', cell: (i) => <span class="mono break">{i.place}</span> },
              { key: 'replaces', title: 'What is there', cell: (i) => (i.replaces ? <Badge tone="warn">replaced</Badge> : <Badge tone="ok">nothing</Badge>) },
              { key: 'bytes', title: 'Size', number: true, wide: true, cell: (i) => <Bytes value={i.bytes} /> },
            ]} />
          </>
        )}
      </Loaded>
    </WizardFrame>
  );
}

function Run({ job: wanted, to }: { job: NewRestore; to: To }): JSX.Element {
  const [started, setStarted] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const job = useLatest(started);
  const begin = (): void => { setProblem(null); startJob(wanted).then(setStarted, (e: unknown) => setProblem(problemOf(e))); };
  useEffect(begin, []);
  return (
    <>
      {problem ? <ProblemNotice problem={problem} again={begin} /> : null}
      {job ? <JobBlock job={job} /> : problem ? null : <p role="status">Starting</p>}
      {job?.outcome === 'done' && to.kind === 'folder' ? <p>The files are in <code>{to.folder}</code> on the server.</p> : null}
    </>
  );
}
