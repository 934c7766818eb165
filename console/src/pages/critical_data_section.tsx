// One section of the page: coloured circle, schedule, items, Run now.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Schedule, ScheduleSettings, System, SystemItem } from '../api/schema';
import { inWords } from '../format/calendar';
import { Criticality, ScheduleBadge } from '../words';
import { Act, queued } from '../ui/act';
import { Icon } from '../ui/icons';
import { JobLine1, rightOf } from '../ui/job_parts';
import { Badge, Field, Notice, Time, type Tone } from '../ui/parts';
import { CalendarEditor, OnOff } from '../ui/schedule_editor';
import { Table } from '../ui/table';
import type { Editing } from './critical_data';
import { freeName, kDefaults, schedulesOf, withSchedule } from './critical_data_model';

type Section = System['sections'][number];

export function SectionPanel({ editing, section }: { editing: Editing; section: Section }): JSX.Element {
  const heading = useId();
  const { settings } = editing;
  const names = settings ? schedulesOf(settings, section.name) : section.schedules;
  const missing = section.items.filter((i) => i.state === 'not_configured');
  const nothing = section.items.length > 0 && section.items.every((i) => i.state !== 'configured');
  const add = (): void => editing.edit((s) => {
    const name = freeName(s.schedules, section.name || 'everything');
    return withSchedule(s, name, { ...kDefaults.backup, ...(section.name ? { section: section.name } : {}) });
  });
  return (
    <section class="card" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{section.title}</h2>
        <div class="row">
          {names.length === 1 ? <Switches editing={editing} name={names[0]!} what={section.title} /> : null}
          {names.length === 0 ? (
            <>
              <RunNow name={null} unsaved={false} />
              <OnOff on={false} what={section.title} disabled={!settings} why="Changing it needs the right “settings”" onChange={add} />
            </>
          ) : null}
        </div>
      </header>
      <div class="body stack">
        {nothing ? <Notice tone="warn" what="Nothing of this section is covered." hint={section.name === 'software-library' ? 'A Software Library that is set up on another server is not taken by this section: give it a place as software-packages (a mounted or UNC path), or exclude it with a reason.' : 'Give its items a place in the configuration file.'} /> : null}
        {names.map((name) => <ScheduleRows key={name} editing={editing} name={name} switches={names.length > 1} />)}
        {names.length === 0 ? <p class="muted">No schedule backs this section up. Switch it on to make one.</p> : null}
      </div>
      {section.items.length ? (
        <details class="items" open={missing.length > 0}>
          <summary>Items ({section.items.length}){missing.length ? <> <Badge tone="warn">{missing.length} not covered</Badge></> : null}</summary>
          <Items items={section.items} />
        </details>
      ) : null}
    </section>
  );
}

function RunNow({ name, unsaved, run = 'backup' }: { name: string | null; unsaved: boolean; run?: ScheduleSettings['run'] }): JSX.Element {
  const why = name === null ? 'There is no schedule yet: switch it on and save' : 'Save the changes first: what is saved would run';
  return (
    <Act right={rightOf(run)} icon="play" disabled={name === null || unsaved} why={why} label={name ? `Run now: ${name}` : 'Run now'}
      onAct={async () => { if (name) queued(await call('runSchedule', { params: { name } })); }}>
      Run now
    </Act>
  );
}

// Run now, and the coloured circle.
function Switches({ editing, name, what }: { editing: Editing; name: string; what: string }): JSX.Element {
  const live = editing.schedules.find((s) => s.name === name);
  const own = editing.settings?.schedules?.[name];
  const on = own ? own.enabled === true : live?.enabled === true;
  return (
    <>
      <RunNow name={live ? name : null} unsaved={editing.unsaved(name)} run={live?.run ?? 'backup'} />
      <OnOff on={on} what={what} disabled={!own} why="Changing it needs the right “settings”"
        onChange={(enabled) => editing.edit((s) => withSchedule(s, name, { ...(s.schedules?.[name] ?? kDefaults.backup), enabled }))} />
    </>
  );
}

// A schedule: its state as the service sees it, and its settings while one may change them.
export function ScheduleRows({ editing, name, switches = true, removable = false }: { editing: Editing; name: string; switches?: boolean; removable?: boolean }): JSX.Element {
  const [open, setOpen] = useState(false);
  const live: Schedule | undefined = editing.schedules.find((s) => s.name === name);
  const own: ScheduleSettings | undefined = editing.settings?.schedules?.[name];
  const unsaved = editing.unsaved(name);
  const change: Change = (changes, drop) => editing.edit((s) => {
    const next = { ...(s.schedules?.[name] ?? kDefaults.backup), ...changes };
    if (drop) delete next[drop];
    return withSchedule(s, name, next);
  });
  const calendar = own?.calendar ?? live?.calendar ?? '';
  const expanded = open || unsaved;
  return (
    <div class="schedule">
      <div class="row apart">
        <div class="row">
          <strong class="mono">{name}</strong>
          {unsaved ? <Badge tone="info" icon="info">not saved</Badge> : live && live.state !== 'off' && live.state !== 'waiting' ? <ScheduleBadge state={live.state} /> : null}
          <span class="muted">{inWords(calendar) || calendar}</span>
          {!unsaved && live?.enabled && live.next[0] ? <span class="muted">· next <Time at={live.next[0].time} style="spoken" /></span> : null}
        </div>
        <div class="row">
          {own ? <button type="button" class="quiet" aria-expanded={expanded} onClick={() => setOpen(!expanded)}>{expanded ? 'Close' : 'Change'}</button> : null}
          {switches ? <Switches editing={editing} name={name} what={`Schedule ${name}`} /> : null}
        </div>
      </div>
      {live?.state === 'overdue' ? <Notice tone="bad" what={<>Overdue: it was due <Time at={live.overdue_since} style="spoken" /> and has not started.</>} hint="Run it now, and look at its last job." /> : null}
      {live?.state === 'unusable' ? <Notice tone="bad" what="When it runs cannot be told: its time zone is not among the zones of this machine." /> : null}
      {live?.last ? <p class="small">Last: <JobLine1 job={live.last} /></p> : null}
      {own && expanded ? (
        <div class="stack tight edit">
          <CalendarEditor expression={own.calendar} onChange={(c) => change({ calendar: c })} />
          <More own={own} editing={editing} change={change} />
          {removable ? <div><button type="button" class="quiet small" onClick={() => editing.edit((s) => withSchedule(s, name, null))}>Take this schedule out</button></div> : null}
        </div>
      ) : null}
    </div>
  );
}

// Sets some keys; `drop` takes one out of the file.
type Change = (changes: Partial<ScheduleSettings>, drop?: 'export' | 'share') => void;

function More({ own, editing, change }: { own: ScheduleSettings; editing: Editing; change: Change }): JSX.Element | null {
  if (own.run === 'backup')
    return (
      <Field label="Also export as plain files into this folder" help="On the server, with meaningful names. Whoever can read it can read keys and passwords in them. Empty: no export.">
        {(a) => <input {...a} class="mono" spellcheck={false} value={own.export ?? ''} placeholder="/srv/plain" onInput={(e) => { if (e.currentTarget.value === '') change({}, 'export'); else change({ export: e.currentTarget.value }); }} />}
      </Field>
    );
  if (own.run === 'copy')
    return (
      <Field label="To the copy">{(a) => <select {...a} value={own.copy ?? ''} onChange={(e) => change({ copy: e.currentTarget.value })}>{Object.keys(editing.settings?.copies ?? {}).map((c) => <option key={c}>{c}</option>)}</select>}</Field>
    );
  if (own.run === 'verify' || own.run === 'check')
    return (
      <div class="calendar">
        {own.run === 'verify' ? (
          <Field label="Level">{(a) => <select {...a} value={own.level ?? 'content'} onChange={(e) => change({ level: e.currentTarget.value as NonNullable<ScheduleSettings['level']> })}>{['exists', 'bytes', 'content', 'restore'].map((l) => <option key={l}>{l}</option>)}</select>}</Field>
        ) : null}
        <Field label="Share read in one run (%)" help={own.run === 'verify' ? 'Empty: all that is due' : 'Empty: no content is read'}>
          {(a) => <input {...a} type="number" min={1} max={100} value={own.share === undefined ? '' : Math.round(own.share * 100)} onInput={(e) => {
            const value = Number(e.currentTarget.value);
            if (e.currentTarget.value === '') change({}, 'share');
            else if (value >= 1 && value <= 100) change({ share: value / 100 });
          }} />}
        </Field>
      </div>
    );
  return null;
}

const kItem: Record<SystemItem['state'], { tone: Tone; text: string }> = {
  configured: { tone: 'ok', text: 'Covered' },
  excluded: { tone: 'off', text: 'Left out on purpose' },
  not_configured: { tone: 'warn', text: 'Not covered' },
};

function Items({ items }: { items: SystemItem[] }): JSX.Element {
  return (
    <Table caption="Items of this section" rows={items} rowKey={(i) => i.name} columns={[
      { key: 'title', title: 'Item', head: true, cell: (i) => <span title={`If lost: ${i.if_lost}`}>{i.title}</span> },
      { key: 'criticality', title: 'Criticality', wide: true, cell: (i) => <Criticality value={i.criticality} /> },
      { key: 'state', title: 'State', cell: (i) => <Badge tone={i.state === 'not_configured' && i.criticality === 'critical' ? 'bad' : kItem[i.state].tone}>{kItem[i.state].text}</Badge> },
      { key: 'places', title: 'Where', wide: true, cell: (i) => i.state === 'excluded' ? <span class="muted">{i.reason}</span> : i.places.length ? <span class="mono break">{i.places.join(', ')}</span>
        : i.state === 'configured' ? <span class="muted">made by Holdfast</span>
        : <span class="muted">{i.name === 'software-library' ? 'no place is given; a library on another server is not taken by this section' : 'no place is given in the configuration file'}</span> },
    ]} />
  );
}

export function AddButton({ onClick, children }: { onClick: () => void; children: string }): JSX.Element {
  return <button type="button" class="quiet" onClick={onClick}><Icon name="plus" />{children}</button>;
}
