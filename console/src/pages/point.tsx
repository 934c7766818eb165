// What one recovery point holds: items, identity card, findings; and what can be done with it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { NewVerify, Point, StoredItem } from '../api/schema';
import { counted, humanCount } from '../format/size';
import { go, type PageProps } from '../router';
import { Act, startJob } from '../ui/act';
import { FindingList } from '../ui/alert_list';
import { Badge, Bytes, Card, Dialog, Duration, Empty, Facts, Field, Notice, PageHead, ProblemNotice, Time, shortId, type Tone } from '../ui/parts';
import { Table } from '../ui/table';
import { Criticality, PointBadge, Verified, kLevels, kOrigin } from '../words';
import { browseAddress } from './browse_names';
import { setPinned } from './points';

const kItemTone: Record<StoredItem['status'], Tone> = { complete: 'ok', complete_with_findings: 'warn', failed: 'bad' };
const kItemText: Record<StoredItem['status'], string> = { complete: 'complete', complete_with_findings: 'with findings', failed: 'failed' };

export function PointPage({ params }: PageProps): JSX.Element {
  const id = params['id'] ?? '';
  const point = useResource((abort) => call('point', { abort, params: { id } }), [id], ['points']);
  const [asking, setAsking] = useState<'verify' | 'export' | null>(null);
  return (
    <div class="stack">
      <PageHead title={`Recovery point ${shortId(id)}`} crumbs={[{ text: 'Recovery points', href: '/points' }]}>
        {point.data ? <Actions point={point.data} onAsk={setAsking} onPinned={(pinned) => { if (point.data) point.set({ ...point.data, pinned }); }} /> : null}
      </PageHead>
      <Loaded from={point} lines={8}>{(p) => <PointOf point={p} />}</Loaded>
      {asking === 'verify' ? <VerifyDialog id={id} onClose={() => setAsking(null)} /> : null}
      {asking === 'export' && point.data ? <ExportDialog point={point.data} onClose={() => setAsking(null)} /> : null}
    </div>
  );
}

function Actions({ point: p, onAsk, onPinned }: { point: Point; onAsk: (what: 'verify' | 'export') => void; onPinned: (pinned: boolean) => void }): JSX.Element {
  return (
    <>
      <Act right="operate" icon="shield" onAct={() => onAsk('verify')}>Verify</Act>
      <Act right="operate" icon="pin" onAct={async () => { await setPinned(p.id, !p.pinned); onPinned(!p.pinned); }}>{p.pinned ? 'Unpin' : 'Pin'}</Act>
      <Act right="recover" icon="download" onAct={() => onAsk('export')}>Export</Act>
      <Act right="recover" icon="wizard" onAct={() => go(`/back-up-or-restore?do=restore&point=${p.id}`)}>Restore items</Act>
      <a class="button" href={`/recovery?point=${p.id}`}>Recovery plan</a>
    </>
  );
}

function PointOf({ point: p }: { point: Point }): JSX.Element {
  const findings = [...p.findings, ...p.items.flatMap((i) => i.findings.map((f) => ({ ...f, object: `${i.name}: ${f.object}` })))];
  const bytes = p.items.reduce((sum, i) => sum + i.bytes, 0);
  const facts = p.items.filter((i) => Object.keys(i.facts).length > 0);
  return (
    <>
      <div class="columns">
        <Card title="What it is">
          <Facts rows={[
            ['Status', <span key="s" class="row"><PointBadge status={p.status} />{p.pinned ? <Badge tone="info" icon="pin">Pinned</Badge> : null}</span>],
            ['Taken', <span key="t"><Time at={p.started} seconds /> to <Time at={p.time} seconds /></span>],
            ['Made', `${kOrigin[p.origin]}, ${p.scope === 'full' ? 'every item' : 'a part of the items'}`],
            ['Verified', <Verified key="v" verified={p.verified} />],
            ['Size', <span key="b"><Bytes value={bytes} /> in {counted(p.items.reduce((sum, i) => sum + i.files, 0), 'file')}</span>],
            ['Label', p.label || <span key="l" class="muted">none</span>],
            ['Made by', p.tool_version],
            ['Id', <code key="i">{p.id}</code>],
            ...Object.entries(p.provenance).map(([k, v]): [string, string] => [k.replace(/_/g, ' '), v]),
          ]} />
        </Card>
        <Card title="Identity card" footer="A recovery compares the new machine with it before anything is touched.">
          {Object.keys(p.identity).length ? <Facts rows={Object.entries(p.identity).map(([k, v]) => [k.replace(/^product\./, 'product ').replace(/_/g, ' '), v])} /> : <p class="muted">This point has no identity card.</p>}
        </Card>
      </div>
      {findings.length ? <Card title={`Findings (${findings.length})`} plain><FindingList findings={findings} /></Card> : null}
      <Card title="Items" plain>
        <Table caption="Items of this recovery point" rows={p.items} rowKey={(i) => i.name} empty={<Empty what="It holds no item" />} columns={[
          { key: 'name', title: 'Item', head: true, cell: (i) => i.status === 'failed' ? i.name : <a href={browseAddress(p.id, i.name)}>{i.name}</a>, sort: (i) => i.name },
          { key: 'status', title: 'Status', cell: (i) => <Badge tone={kItemTone[i.status]}>{kItemText[i.status]}</Badge>, sort: (i) => i.status },
          { key: 'criticality', title: 'Criticality', wide: true, cell: (i) => <Criticality value={i.criticality} />, sort: (i) => i.criticality },
          { key: 'kind', title: 'Kind', wide: true, cell: (i) => <span class="muted">{i.kind.replace(/_/g, ' ')}</span>, sort: (i) => i.kind },
          { key: 'files', title: 'Files', number: true, wide: true, cell: (i) => humanCount(i.files), sort: (i) => i.files },
          { key: 'bytes', title: 'Size', number: true, cell: (i) => <Bytes value={i.bytes} />, sort: (i) => i.bytes },
          { key: 'seconds', title: 'Took', number: true, wide: true, cell: (i) => <Duration seconds={i.seconds} />, sort: (i) => i.seconds },
        ]} />
      </Card>
      {facts.length ? (
        <Card title="What was understood">
          <div class="halves">{facts.map((i) => <div key={i.name} class="stack tight"><h3>{i.name}</h3><Facts rows={Object.entries(i.facts).map(([k, v]) => [k.replace(/_/g, ' '), v])} /></div>)}</div>
        </Card>
      ) : null}
    </>
  );
}

type Level = NonNullable<NonNullable<NewVerify['parameters']>['level']>;

function VerifyDialog({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const [level, setLevel] = useState<Level>('content');
  const [problem, setProblem] = useState<Problem | null>(null);
  const start = async (): Promise<void> => {
    try {
      await startJob({ kind: 'verify', parameters: { point: id, level } });
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Dialog title="Verify this point" onClose={onClose} onSubmit={() => { void start(); }} actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Verify</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <fieldset class="stack tight">
        <legend>How far</legend>
        {(['exists', 'bytes', 'content', 'restore'] as const).map((l) => (
          <label class="check" key={l}><input type="radio" name="level" checked={level === l} onChange={() => setLevel(l)} /><span><strong>{l}</strong> <span class="muted">{kLevels[l]}</span></span></label>
        ))}
      </fieldset>
    </Dialog>
  );
}

export function ExportDialog({ point, onClose }: { point: Point; onClose: () => void }): JSX.Element {
  const [form, setForm] = useState<'file' | 'folder'>('file');
  const [where, setWhere] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [left, setLeft] = useState<string[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const items = point.items.filter((i) => i.status !== 'failed').map((i) => i.name);
  const chosen = items.filter((i) => !left.includes(i));
  const fault = form === 'file' && again !== '' && password !== again ? 'The two are not the same' : undefined;
  const start = async (): Promise<void> => {
    if (fault || chosen.length === 0 || (form === 'file' && password !== again)) return;
    try {
      await startJob({ kind: 'export', parameters: { point: point.id, ...(left.length ? { items: chosen } : {}), ...(form === 'file' ? { file: where, file_password: password } : { folder: where }) } });
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Dialog title="Export this point" onClose={onClose} large onSubmit={() => { void start(); }} actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Export</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <fieldset class="choice">
        <legend class="hidden-text">As what</legend>
        <label><input type="radio" name="form" checked={form === 'file'} onChange={() => setForm('file')} /><strong>Backup file</strong><span>One file, protected by a password of its own. Restores on any machine with Holdfast.</span></label>
        <label><input type="radio" name="form" checked={form === 'folder'} onChange={() => setForm('folder')} /><strong>Plain files</strong><span>A folder with meaningful names and ORDER.txt.</span></label>
      </fieldset>
      {form === 'folder' ? <Notice tone="warn" what="Plain files hold keys and passwords readably." hint="Choose a folder that only its owner can read." /> : null}
      <Field label={form === 'file' ? 'File on the server' : 'Folder on the server'} help="An absolute path, best on another machine (a mounted share)">
        {(a) => <input {...a} class="mono" required pattern="/.*" spellcheck={false} placeholder={form === 'file' ? '/mnt/usb/ns01.hfbackup' : '/mnt/usb/ns01'} value={where} onInput={(e) => setWhere(e.currentTarget.value)} />}
      </Field>
      {form === 'file' ? (
        <div class="fields">
          <Field label="Password of the file" help="Needed to restore from it. Holdfast keeps it nowhere.">{(a) => <input {...a} type="password" autocomplete="new-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />}</Field>
          <Field label="Password again" wrong={fault}>{(a) => <input {...a} type="password" autocomplete="new-password" required value={again} onInput={(e) => setAgain(e.currentTarget.value)} />}</Field>
        </div>
      ) : null}
      <details>
        <summary>Items: {chosen.length === items.length ? 'all' : `${chosen.length} of ${items.length}`}</summary>
        <ItemChecks items={items.map((name) => ({ name, text: name }))} chosen={chosen} onChange={(next) => setLeft(items.filter((i) => !next.includes(i)))} />
      </details>
    </Dialog>
  );
}

export function ItemChecks({ items, chosen, onChange }: { items: { name: string; text: string; more?: string }[]; chosen: string[]; onChange: (chosen: string[]) => void }): JSX.Element {
  return (
    <fieldset class="checks">
      <legend class="hidden-text">Items</legend>
      {items.map((i) => (
        <label class="check" key={i.name}>
          <input type="checkbox" checked={chosen.includes(i.name)} onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, i.name] : chosen.filter((c) => c !== i.name))} />
          <span>{i.text}{i.more ? <span class="muted small"> {i.more}</span> : null}</span>
        </label>
      ))}
    </fieldset>
  );
}
