// Repository Settings: where recovery points go, their copies, what is kept, and what runs besides backups.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { call } from '../api/client';
import { Loaded, useResource } from '../api/resource';
import type { Retention, ScheduleSettings, Settings } from '../api/schema';
import { counted } from '../format/size';
import { spanWords } from '../format/time';
import { Badge, Card, Dialog, Facts, Field, Notice, PointLink, Time, sentence } from '../ui/parts';
import { Table } from '../ui/table';
import type { Editing } from './critical_data';
import { AddButton, ScheduleRows } from './critical_data_section';
import { freeName, kDefaults, nameFault, schedulesRunning, spanFault, withCopy, withSchedule } from './critical_data_model';

export function RepositorySettings({ editing }: { editing: Editing }): JSX.Element {
  const heading = useId();
  const { settings, system, edit } = editing;
  return (
    <section class="card" aria-labelledby={heading}>
      <header><h2 id={heading}>Repository Settings</h2></header>
      <div class="body stack">
        {settings ? (
          <div class="fields">
            <Field wide label="Location of the backups" help="A folder on the server. Changing it moves nothing: it holds from the next start of the service on.">
              {(a) => <input {...a} class="mono" spellcheck={false} value={settings.repository ?? ''} onInput={(e) => { const repository = e.currentTarget.value; edit((s) => ({ ...s, repository })); }} />}
            </Field>
            <Objective editing={editing} name="recovery_point" label="May be lost at most (RPO)" />
            <Objective editing={editing} name="recovery_time" label="May take at most (RTO)" />
          </div>
        ) : (
          <Facts rows={[
            ['Location', <code key="l">{system.repository}</code>],
            ['RPO', system.objectives.recovery_point ? spanWords(system.objectives.recovery_point) : 'not set'],
            ['RTO', system.objectives.recovery_time ? spanWords(system.objectives.recovery_time) : 'not set'],
          ]} />
        )}
        <Copies editing={editing} />
        <Deleting editing={editing} />
      </div>
    </section>
  );
}

function Objective({ editing, name, label }: { editing: Editing; name: 'recovery_point' | 'recovery_time'; label: string }): JSX.Element {
  const value = editing.settings?.objectives?.[name] ?? '';
  return (
    <Field label={label} wrong={spanFault(value)} help={value && !spanFault(value) ? spanWords(value) : 'A span: 24h, 7d. Empty: none'}>
      {(a) => <input {...a} value={value} onInput={(e) => { const text = e.currentTarget.value.trim(); editing.edit((s) => ({ ...s, objectives: { ...s.objectives, [name]: text === '' ? null : text } })); }} />}
    </Field>
  );
}

function Copies({ editing }: { editing: Editing }): JSX.Element {
  const [adding, setAdding] = useState(false);
  const copies: Record<string, string> = editing.settings?.copies ?? Object.fromEntries(editing.system.copies.map((c) => [c.name, c.repository]));
  const names = Object.keys(copies);
  return (
    <div class="stack tight">
      <div class="row apart"><h3>Copies in another file system</h3>{editing.settings ? <AddButton onClick={() => setAdding(true)}>Add a copy</AddButton> : null}</div>
      {names.length === 0 ? <Notice tone="warn" what="There is no copy: what destroys this place destroys every recovery point." hint="A copy belongs in a different file system, best on another server." /> : (
        <Table caption="Copies of the repository" rows={names} rowKey={(n) => n} columns={[
          { key: 'name', title: 'Name', head: true, cell: (n) => n },
          { key: 'place', title: 'Place', cell: (n) => <code>{copies[n]}</code> },
          { key: 'runs', title: 'Brought up to date', wide: true, cell: (n) => {
            const by = editing.schedules.filter((s) => s.run === 'copy' && s.copy === n && s.enabled);
            return by.length ? by.map((s) => s.name).join(', ') : <Badge tone="off">by no schedule that is on</Badge>;
          } },
          ...(editing.settings ? [{ key: 'act', title: 'Actions', actions: true, cell: (n: string) => <button type="button" class="quiet small" onClick={() => editing.edit((s) => withCopy(s, n, null))} aria-label={`Take out copy ${n}`}>Take out</button> }] : []),
        ]} />
      )}
      {adding ? <AddCopy taken={copies} onClose={() => setAdding(false)} onAdd={(name, place) => { editing.edit((s) => withCopy(s, name, place)); setAdding(false); }} /> : null}
    </div>
  );
}

function AddCopy({ taken, onClose, onAdd }: { taken: Record<string, string>; onClose: () => void; onAdd: (name: string, place: string) => void }): JSX.Element {
  const [name, setName] = useState('');
  const [place, setPlace] = useState('');
  const fault = name === '' ? undefined : nameFault(name) ?? (name in taken ? 'There is a copy of this name' : undefined);
  return (
    <Dialog title="Add a copy" onClose={onClose} onSubmit={() => { if (name && !fault && place.trim()) onAdd(name, place.trim()); }}
      actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Add</button></>}>
      <Field label="Name" help="Short, for example nas" wrong={fault}>{(a) => <input {...a} required value={name} onInput={(e) => setName(e.currentTarget.value.trim())} />}</Field>
      <Field label="Place" help="A folder in a different file system than the repository, best of another server">{(a) => <input {...a} class="mono" required spellcheck={false} value={place} onInput={(e) => setPlace(e.currentTarget.value)} />}</Field>
      <p class="muted small">It is added when the page is saved. A schedule “copy” brings it up to date; deletions are never carried over.</p>
    </Dialog>
  );
}

const kRules = [['last', 'Newest'], ['hourly', 'Hours'], ['daily', 'Days'], ['weekly', 'Weeks'], ['monthly', 'Months'], ['yearly', 'Years']] as const;

// What is deleted, and when. "The schedule for deleting outdated backups does not delete the backups that you create by hand."
function Deleting({ editing }: { editing: Editing }): JSX.Element {
  const [shown, setShown] = useState(false);
  const { settings, edit } = editing;
  const rule: Retention = settings?.retention ?? {};
  const change = (changes: Retention): void => edit((s) => {
    const next: Retention = { ...s.retention, ...changes };
    const any = kRules.some(([k]) => (next[k] ?? 0) > 0) || (next.within ?? '') !== '';
    return { ...s, retention: any ? next : null };
  });
  return (
    <div class="stack tight">
      <div class="row apart">
        <h3>Deleting outdated backups</h3>
        <button type="button" class="quiet" onClick={() => setShown(true)}>What is kept now, and why</button>
      </div>
      <p class="muted small">Never deleted: points made by hand, imported or pinned ones, and the newest good one. Of the others the rule keeps the newest of so many:</p>
      {settings ? (
        <div class="rule">
          {kRules.map(([key, title]) => (
            <Field key={key} label={title}>
              {(a) => <input {...a} type="number" min={0} max={10000} value={rule[key] ?? 0} onInput={(e) => { const n = Number(e.currentTarget.value); if (Number.isInteger(n) && n >= 0 && n <= 10_000) change({ [key]: n }); }} />}
            </Field>
          ))}
          <Field label="Within" help="all of so long" wrong={spanFault(rule.within ?? '')}>{(a) => <input {...a} placeholder="7d" value={rule.within ?? ''} onInput={(e) => { const text = e.currentTarget.value.trim(); change({ within: text === '' ? null : text }); }} />}</Field>
        </div>
      ) : null}
      {settings && !settings.retention ? <p class="small">No rule is set: nothing is deleted.</p> : null}
      <Running editing={editing} run="retention" title="Deleting outdated backups" />
      <Running editing={editing} run="prune" title="Freeing their space" />
      {shown ? <Kept onClose={() => setShown(false)} /> : null}
    </div>
  );
}

const schedules = (editing: Editing, run: ScheduleSettings['run']): string[] =>
  editing.settings ? schedulesRunning(editing.settings, run) : editing.schedules.filter((s) => s.run === run).map((s) => s.name);

function add(editing: Editing, run: ScheduleSettings['run']): void {
  editing.edit((s: Settings) => {
    const copy = run === 'copy' ? Object.keys(s.copies ?? {})[0] : undefined;
    return withSchedule(s, freeName(s.schedules, { verify: 'proof', check: 'check', copy: 'copy', retention: 'retention', prune: 'space', backup: 'backup' }[run]), { ...kDefaults[run], ...(copy ? { copy } : {}) });
  });
}

// Schedules of one kind, or the way to make one.
function Running({ editing, run, title }: { editing: Editing; run: ScheduleSettings['run']; title: string }): JSX.Element {
  const names = schedules(editing, run);
  if (names.length === 0)
    return <div class="schedule row apart"><span class="muted">{title}: no schedule.</span>{editing.settings ? <AddButton onClick={() => add(editing, run)}>Make a schedule</AddButton> : null}</div>;
  return <>{names.map((name) => <ScheduleRows key={name} editing={editing} name={name} removable />)}</>;
}

export function OtherSchedules({ editing }: { editing: Editing }): JSX.Element {
  const copies = Object.keys(editing.settings?.copies ?? {}).length;
  return (
    <Card title="Verification and copies">
      <h3>Proof: what is stored is read back and compared</h3>
      <Running editing={editing} run="verify" title="Verification" />
      <Running editing={editing} run="check" title="Check of the repository" />
      <h3>Copies</h3>
      {schedules(editing, 'copy').map((name) => <ScheduleRows key={name} editing={editing} name={name} removable />)}
      {editing.settings ? (copies ? <div><AddButton onClick={() => add(editing, 'copy')}>Make a schedule for a copy</AddButton></div> : <p class="muted small">Add a copy above to give it a schedule.</p>) : null}
    </Card>
  );
}

function Kept({ onClose }: { onClose: () => void }): JSX.Element {
  const kept = useResource((abort) => call('retention', { abort }), [], ['points', 'settings']);
  return (
    <Dialog title="What the rule keeps now, as saved" large onClose={onClose} actions={<button type="button" onClick={onClose}>Close</button>}>
      <Loaded from={kept}>
        {(r) => {
          const going = r.points.filter((p) => !p.keep).length;
          return (
            <>
              {r.refused ? <Notice tone="warn" what={sentence(`The rule would not be applied now: ${r.refused}`)} /> : null}
              <p>{going === 0 ? `All ${counted(r.points.length, 'recovery point')} are kept.` : `${counted(going, 'recovery point')} of ${r.points.length} would be deleted at the next run.`}</p>
              <Table caption="Recovery points and why each is kept" rows={r.points} rowKey={(p) => p.id} columns={[
                { key: 'point', title: 'Point', head: true, cell: (p) => <PointLink id={p.id} /> },
                { key: 'time', title: 'Time', cell: (p) => <Time at={p.time} /> },
                { key: 'why', title: 'Kept because', cell: (p) => p.keep ? p.reasons.join('; ') : <Badge tone="warn">would be deleted</Badge> },
              ]} />
            </>
          );
        }}
      </Loaded>
    </Dialog>
  );
}
