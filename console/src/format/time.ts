// Times and durations. The API speaks UTC (`2026-11-22T02:00:05Z`) and seconds; people read local time, with UTC in the tooltip.

export function parseTime(text: string): Date | null {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}

const two = (n: number): string => n.toString().padStart(2, '0');

export function localDate(t: Date): string {
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

export function localTime(t: Date, seconds = false): string {
  return `${two(t.getHours())}:${two(t.getMinutes())}${seconds ? `:${two(t.getSeconds())}` : ''}`;
}

// "2026-11-22 03:00", sortable and the same in every language.
export function local(t: Date, seconds = false): string {
  return `${localDate(t)} ${localTime(t, seconds)}`;
}

const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

// "22 Nov", where there is little room.
export const shortDate = (t: Date): string => `${t.getDate()} ${kMonths[t.getMonth()]}`;

const kWeekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

// What a person says today: "today 03:00", "yesterday 22:15", "Fri 02:30" within six days, else the date.
export function spoken(t: Date, now: Date): string {
  const midnight = (d: Date): number => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
  const days = Math.round((midnight(t) - midnight(now)) / 86_400_000);
  if (days === 0) return `today ${localTime(t)}`;
  if (days === -1) return `yesterday ${localTime(t)}`;
  if (days === 1) return `tomorrow ${localTime(t)}`;
  if (Math.abs(days) < 7) return `${kWeekdays[t.getDay()]} ${localTime(t)}`;
  return local(t);
}

export function utc(t: Date): string {
  return `${t.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function humanSeconds(seconds: number): string {
  if (seconds < 0) return `-${humanSeconds(-seconds)}`;
  if (seconds < 9.95 && Number.isInteger(seconds)) return seconds === 0 ? '< 1 s' : `${seconds} s`;   // known to the second: no tenth is invented
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 2 * 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor(whole / 3600) % 24} h`;
}

// One unit, for ages: "8 h", "3 d". Cut, not rounded up: 47 h are not two days.
export function roughly(seconds: number): string {
  const s = Math.abs(seconds);
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 2 * 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

export function ago(t: Date, now: Date): string {
  const seconds = (now.getTime() - t.getTime()) / 1000;
  if (Math.abs(seconds) < 5) return 'now';
  return seconds > 0 ? `${roughly(seconds)} ago` : `in ${roughly(seconds)}`;
}

const kSpan = /^(\d{1,5})([hdwmy])$/;
const kSpanSeconds: Record<string, number> = { h: 3600, d: 86_400, w: 7 * 86_400, m: 30 * 86_400, y: 365 * 86_400 };

// A span of the configuration ("24h", "7d") in seconds; months and years by their usual length, good enough for a meter.
export function spanSeconds(span: string): number | null {
  const found = kSpan.exec(span);
  return found ? Number(found[1]) * (kSpanSeconds[found[2] as string] ?? 0) : null;
}

const kSpanWords: Record<string, string> = { h: 'hour', d: 'day', w: 'week', m: 'month', y: 'year' };

export function spanWords(span: string): string {
  const found = kSpan.exec(span);
  if (!found) return span;
  const n = Number(found[1]);
  return `${n} ${kSpanWords[found[2] as string]}${n === 1 ? '' : 's'}`;
}
