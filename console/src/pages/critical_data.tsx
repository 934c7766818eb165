// Critical Data Backup, after the page of that name: Repository Settings, and a part for each section with its coloured circle, schedule,
// items and Run now. Everything that is changed here is shown line by line before it is saved.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, callWithTag, may } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { Schedule, Settings, SettingsAnswer, System } from '../api/schema';
import { counted } from '../format/size';
import { guardLeaving } from '../router';
import { Dialog, Notice, PageHead, ProblemNotice, tell } from '../ui/parts';
import { faults, sameValue, schedulesOf, sectionsCovered, type Draft } from './critical_data_model';
import { OtherSchedules, RepositorySettings } from './critical_data_repository';
import { SectionPanel } from './critical_data_section';

export interface Editing {
  system: System;
  schedules: Schedule[];
  settings: Settings | null; // null: no right to see them
  edit: (change: (settings: Settings) => Settings) => void;
  unsaved: (name: string) => boolean; // that schedule was changed here and not saved
}

export function CriticalData(): JSX.Element {
  const allowed = may('settings');
  const shown = useResource(async (abort) => {
    const [system, { schedules }] = await Promise.all([call('system', { abort }), call('schedules', { abort })]);
    return { system, schedules };
  }, [], ['schedules', 'settings']);
  const settings = useResource(async (abort) => (allowed ? callWithTag('settings', { abort }) : null), [allowed], ['settings']);
  const [draft, setDraft] = useState<Draft | null>(null);
  const loaded = settings.data;
  const dirty = draft !== null && !sameValue(draft.base, draft.settings);
  useEffect(() => {
    guardLeaving(dirty ? () => window.confirm('The changes on this page are not saved. Leave it?') : null);
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    if (dirty) window.addEventListener('beforeunload', ask);
    return () => { guardLeaving(null); window.removeEventListener('beforeunload', ask); };
  }, [dirty]);
  const edit = (change: (s: Settings) => Settings): void => {
    if (!loaded) return;
    setDraft((old) => {
      const from = old ?? { base: loaded.answer.settings, tag: loaded.tag, settings: loaded.answer.settings };
      return { ...from, settings: change(from.settings) };
    });
  };
  const now: Settings | null = dirty && draft ? draft.settings : loaded?.answer.settings ?? null;
  return (
    <div class="stack">
      <PageHead title="Critical Data Backup" lead="What is backed up by itself, when, and where it goes. Everything is off until it is switched on." />
      {settings.problem && allowed ? <ProblemNotice problem={settings.problem} again={settings.reload} /> : null}
      {allowed ? null : <Notice tone="info" what="You see the settings; changing them needs the right “settings”." />}
      <Loaded from={shown} lines={10}>
        {({ system, schedules }) => {
          const editing: Editing = { system, schedules, settings: now, edit, unsaved: (name) => dirty && draft !== null && !sameValue(draft.base.schedules?.[name], draft.settings.schedules?.[name]) };
          const { covered, expected } = sectionsCovered(system);
          const whole = now && schedulesOf(now, '').length > 0;
          return (
            <div class="stack">
              {covered < expected ? <Notice tone="warn" what={`${counted(expected - covered, 'item')} of the profile ${expected - covered === 1 ? 'is' : 'are'} not covered: no place is given in the configuration file.`} hint="Each is marked below. Give it a place, or exclude it with a reason: both in holdfast.toml." /> : null}
              <RepositorySettings editing={editing} />
              {whole ? <SectionPanel editing={editing} section={{ name: '', title: 'Backup of every item', schedules: [], items: [] }} /> : null}
              {system.sections.map((section) => <SectionPanel key={section.name} editing={editing} section={section} />)}
              <OtherSchedules editing={editing} />
            </div>
          );
        }}
      </Loaded>
      {dirty && draft ? <SaveBar draft={draft} onDiscard={() => setDraft(null)} onSaved={(answer, tag) => { settings.set({ answer, tag }); setDraft(null); shown.reload(); }} onReload={() => { setDraft(null); settings.reload(); }} /> : null}
    </div>
  );
}

function SaveBar({ draft, onDiscard, onSaved, onReload }: { draft: Draft; onDiscard: () => void; onSaved: (answer: SettingsAnswer, tag: string) => void; onReload: () => void }): JSX.Element {
  const [review, setReview] = useState<SettingsAnswer | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const found = faults(draft.settings);
  const put = async (dry: boolean): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const { answer, tag } = await callWithTag('changeSettings', { body: draft.settings, ifMatch: draft.tag, query: { dry_run: dry } });
      if (dry) {
        setReview(answer);
      } else {
        setReview(null);
        tell('ok', answer.restart ? 'Saved. A part of it holds from the next start of the service on.' : 'Saved. It is in force now.');
        onSaved(answer, tag);
      }
    } catch (error) {
      setReview(null);
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const outdated = problem !== null && (problem.status === 412 || problem.status === 409);
  return (
    <div class="stack tight">
      {problem ? <ProblemNotice problem={problem} /> : null}
      <div class="savebar" role="region" aria-label="Unsaved changes">
        <span class="grow">{found.length ? <span class="wrong">{found.join('. ')}.</span> : 'There are unsaved changes.'}</span>
        {outdated ? <button type="button" onClick={onReload}>Drop mine and show what is there now</button> : null}
        <button type="button" onClick={onDiscard}>Discard</button>
        <button type="button" class="primary" aria-disabled={found.length || busy ? 'true' : undefined} onClick={() => { if (!found.length && !busy) void put(true); }}>Save changes</button>
      </div>
      {review ? (
        <Dialog title="Review the changes" large onClose={() => setReview(null)}
          actions={<><button type="button" onClick={() => setReview(null)}>Back</button><button type="button" class="primary" aria-disabled={busy ? 'true' : undefined} onClick={() => { if (!busy) void put(false); }}>Save changes</button></>}>
          <p>These lines of <code>{review.file}</code> change; comments and everything else stay as they are.</p>
          {review.lines.length ? <pre class="lines-changed" tabIndex={0} aria-label="Lines that change">{review.lines.map((l, i) => <span key={i} class={l.startsWith('+') ? 'added' : l.startsWith('-') ? 'removed' : ''}>{l}{'\n'}</span>)}</pre> : <p class="muted">No line changes.</p>}
          {review.restart ? <Notice tone="warn" what="A part of it holds from the next start of the service on." hint="Address, certificate and repository are read at the start: systemctl restart holdfast" /> : null}
        </Dialog>
      ) : null}
    </div>
  );
}
