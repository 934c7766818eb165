// The changes of the page Critical Data Backup, as values: what was loaded stays beside what a person made of it, until it is saved.
import type { ScheduleSettings, Settings, System } from '../api/schema';

export interface Draft {
  base: Settings; // as it was loaded
  tag: string; // of that file: saving it over a newer one is refused
  settings: Settings;
}

export const sameValue = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1))) : v,
  );
}

export function withSchedule(settings: Settings, name: string, schedule: ScheduleSettings | null): Settings {
  const schedules = { ...settings.schedules };
  if (schedule) schedules[name] = schedule;
  else delete schedules[name];
  return { ...settings, schedules };
}

export function withCopy(settings: Settings, name: string, repository: string | null): Settings {
  const copies = { ...settings.copies };
  if (repository === null) delete copies[name];
  else copies[name] = repository;
  return { ...settings, copies };
}

// The schedules that back up a section, by name; those of every item are listed with no section.
export function schedulesOf(settings: Settings, section: string): string[] {
  return Object.entries(settings.schedules ?? {})
    .filter(([, s]) => s.run === 'backup' && (s.section ?? '') === section)
    .map(([name]) => name);
}

export function schedulesRunning(settings: Settings, run: ScheduleSettings['run']): string[] {
  return Object.entries(settings.schedules ?? {}).filter(([, s]) => s.run === run).map(([name]) => name);
}

// A name for a new table that is not taken.
export function freeName(taken: Record<string, unknown> | undefined, wanted: string): string {
  if (!taken || !(wanted in taken)) return wanted;
  for (let n = 2; ; n += 1) if (!(`${wanted}-${n}` in taken)) return `${wanted}-${n}`;
}

export const kDefaults: Record<ScheduleSettings['run'], ScheduleSettings> = {
  backup: { run: 'backup', calendar: 'Mon..Fri 02:30', enabled: true },
  verify: { run: 'verify', calendar: 'daily', enabled: true, level: 'content', share: 0.05 },
  check: { run: 'check', calendar: 'weekly', enabled: true },
  copy: { run: 'copy', calendar: '*-*-* 04:30', enabled: true },
  retention: { run: 'retention', calendar: 'Sun 04:00', enabled: true },
  prune: { run: 'prune', calendar: 'Sun 05:00', enabled: true },
};

const kSpan = /^[1-9]\d{0,4}[hdwmy]$/;
const kName = /^[A-Za-z0-9_-]{1,64}$/;
export const spanFault = (text: string): string | undefined => (text === '' || kSpan.test(text) ? undefined : 'A whole number and h, d, w, m (months) or y: 24h, 7d');
export const nameFault = (text: string): string | undefined => (kName.test(text) ? undefined : 'Letters, digits, - and _; at most 64');

// What keeps the page from being saved, before the service is asked.
export function faults(settings: Settings): string[] {
  const found: string[] = [];
  for (const [key, title] of [['recovery_point', 'RPO'], ['recovery_time', 'RTO']] as const)
    if (spanFault(settings.objectives?.[key] ?? '')) found.push(`${title} is no span`);
  if (spanFault(settings.retention?.within ?? '')) found.push('“within” is no span');
  for (const [name, place] of Object.entries(settings.copies ?? {})) if (place.trim() === '') found.push(`Copy ${name} has no place`);
  for (const [name, s] of Object.entries(settings.schedules ?? {})) {
    if (s.calendar.trim() === '') found.push(`Schedule ${name} has no calendar`);
    if (s.run === 'copy' && !(settings.copies ?? {})[s.copy ?? '']) found.push(`Schedule ${name} copies to “${s.copy ?? ''}”, which is no copy`);
  }
  return found;
}

// Who may not see the settings still sees what is on, from what everybody may see.
export function sectionsCovered(system: System): { covered: number; expected: number } {
  const items = system.sections.flatMap((s) => s.items);
  return { covered: items.filter((i) => i.state === 'configured').length, expected: items.filter((i) => i.state !== 'excluded').length };
}
