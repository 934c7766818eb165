import { describe, expect, it } from 'vitest';
import type { Job, Plan, PointSummary, Recovery, Settings } from '../api/schema';
import { shownLine } from '../ui/log';
import { layout } from '../ui/timeline_layout';
import { browseAddress, modeText, nameOf } from './browse_names';
import { faults, freeName, sameValue, schedulesOf, withCopy, withSchedule } from './critical_data_model';
import { groups, shownSteps, waiting } from './recovery_model';

describe('settings that are being changed', () => {
  const settings: Settings = {
    repository: '/b', copies: { nas: '/n' }, retention: { last: 3 },
    schedules: { a: { run: 'backup', calendar: 'daily', section: 'configuration' }, all: { run: 'backup', calendar: 'weekly' }, off: { run: 'copy', calendar: 'daily', copy: 'nas' } },
  };
  it('changes one thing and leaves what was loaded alone', () => {
    const before = JSON.stringify(settings);
    const next = withSchedule(settings, 'a', { run: 'backup', calendar: 'hourly', section: 'configuration', enabled: true });
    expect(next.schedules?.['a']?.calendar).toBe('hourly');
    expect(withSchedule(settings, 'a', null).schedules).not.toHaveProperty('a');
    expect(withCopy(settings, 'nas', null).copies).toEqual({});
    expect(JSON.stringify(settings)).toBe(before);
  });
  it('finds the schedules of a section and free names', () => {
    expect(schedulesOf(settings, 'configuration')).toEqual(['a']);
    expect(schedulesOf(settings, '')).toEqual(['all']);
    expect(freeName(settings.schedules, 'b')).toBe('b');
    expect(freeName({ a: 1, 'a-2': 1 }, 'a')).toBe('a-3');
  });
  it('calls equal what is equal, in whatever order', () => {
    expect(sameValue({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(sameValue({ b: [1, 2] }, { b: [2, 1] })).toBe(false);
    expect(sameValue(undefined, undefined)).toBe(true);
  });
  it('names what cannot be saved', () => {
    expect(faults(settings)).toEqual([]);
    expect(faults(withCopy(settings, 'nas', null))[0]).toContain('off');
    expect(faults({ ...settings, objectives: { recovery_point: '0h' } })).toEqual(['RPO is no span']);
    expect(faults({ ...settings, retention: { within: 'a week' } })).toHaveLength(1);
  });
});

describe('steps of a recovery', () => {
  const step = (name: string, group: number): Plan['steps'][number] => ({ name, title: name, group, kind: 'restore', by_person: false, deferrable: false, instructions: '', after: [], state: 'pending', detail: '', does: [] });
  const plan = { steps: [step('a', 0), step('b', 2), step('c', 1), step('d', 1)] } as Plan;
  const journal = { steps: [{ step: 'a', state: 'done', detail: 'ok', time: '' }, { step: 'b', state: 'started', detail: '', time: '' }] } as unknown as Recovery;
  const job = (state: Job['state'], result: Job['result']): Job => ({ state, result }) as Job;

  it('shows what the journal says, and where a running one is', () => {
    const shown = shownSteps(plan, journal, job('running', null));
    expect(shown.map((s) => s.state)).toEqual(['done', 'pending', 'pending', 'pending']);
    expect(shown.map((s) => s.current)).toEqual([false, true, false, false]);
    expect(shown[0]!.detail).toBe('ok');
  });
  it('takes the result of an ended one over the journal', () => {
    const shown = shownSteps(plan, journal, job('ended', { steps: [{ name: 'b', state: 'left_to_person' }, { name: 'c', state: 'whatever' }, 7] }));
    expect(shown.map((s) => s.state)).toEqual(['done', 'left_to_person', 'pending', 'pending']);
    expect(waiting(shown).map((s) => s.name)).toEqual(['b']);
  });
  it('keeps the order of the plan', () => {
    expect(groups(shownSteps(plan, null, null)).map((g) => [g.group, g.steps.length])).toEqual([[0, 1], [2, 1], [1, 2]]);
  });
});

describe('the time line', () => {
  const now = new Date(2026, 10, 22, 12, 0);
  const point = (hoursAgo: number, origin: PointSummary['origin']): PointSummary => ({ id: `${hoursAgo}`, time: new Date(now.getTime() - hoursAgo * 3_600_000).toISOString(), origin }) as PointSummary;
  it('puts the newest at the right, leaves out what is older, and no mark outside', () => {
    const { marks, lanes } = layout([point(0, 'scheduled'), point(24, 'manual'), point(24 * 40, 'manual'), point(-2, 'scheduled')], now, 80, 1000);
    expect(marks).toHaveLength(3);
    expect(marks[0]!.x).toBe(1000);
    expect(marks[2]!.x).toBe(1000);
    expect(marks[1]!.x).toBeCloseTo(1000 - 920 / 30, 5);
    expect(lanes).toEqual([0, 1]);
  });
  it('has a lane for imported ones only when there are some', () => expect(layout([point(1, 'imported')], now, 80, 1000).lanes).toEqual([0, 1, 2]));
});

describe('names and modes in backups', () => {
  it('reads segments, also of names that are not UTF-8', () => {
    expect(nameOf('agent%20setup.msi')).toBe('agent setup.msi');
    expect(nameOf('%C3%9Cber')).toBe('Über');
    expect(nameOf('a%FFb%20c')).toBe('a\\xffb c');
  });
  it('has no dot in the last part of an address, which the server would take for a file', () => {
    expect(new URL(browseAddress('3f2a', 'kms-keys.after', 'a%20b/c.msi'), 'http://x').pathname).toBe('/points/3f2a/browse');
    expect(new URL(browseAddress('3f2a', 'a', 'x%20y/c'), 'http://x').searchParams.get('path')).toBe('x%20y/c');
  });
  it('writes modes as ls does', () => {
    expect(modeText('directory', 0o1777)).toBe('drwxrwxrwt');
    expect(modeText('file', 0o4755)).toBe('-rwsr-xr-x');
    expect(modeText('symlink', 0)).toBe('l---------');
  });
});

describe('lines of a log', () => {
  it('says findings and errors for people', () => {
    expect(shownLine(1, '{"type":"finding","code":"x","object":"/a","message":"m","hint":"h"}')).toEqual({ number: 1, tone: 'warn', text: 'finding x  /a: m\n  h' });
    expect(shownLine(2, '{"type":"error","code":"io","message":"m","safe":"s","hint":""}').text).toBe('error io  m\n  s');
    expect(shownLine(3, '{"type":"result","schema":1,"point":"3f","items":[1,2],"identity":{}}').text).toBe('result  point: 3f, items: 2, identity: …');
  });
  it.each(['not json', '"text"', '[1]', 'null', '{"type":"other"}', '{'])('shows %s as it is', (raw) => expect(shownLine(1, raw).text).toBe(raw));
});
