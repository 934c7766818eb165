// Calendar expressions (docs/schedules.md) for people: what the common ones say in words, and making them from a few choices.
// What an expression means, and whether it is right, is decided by the service alone; what this page does not know it shows as written.

export type Rhythm = 'hourly' | 'daily' | 'weekdays' | 'weekly' | 'monthly' | 'own';
export interface Choice {
  rhythm: Rhythm;
  time: string; // "02:30"
  weekday: string; // "Mon"
  day: number; // 1..28
  text: string; // of rhythm "own"
}

export const kWeekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const kLong: Record<string, string> = {
  Mon: 'Monday', Tue: 'Tuesday', Wed: 'Wednesday', Thu: 'Thursday', Fri: 'Friday', Sat: 'Saturday', Sun: 'Sunday',
};

export function expressionOf(choice: Choice): string {
  switch (choice.rhythm) {
    case 'hourly': return 'hourly';
    case 'daily': return `*-*-* ${choice.time}`;
    case 'weekdays': return `Mon..Fri ${choice.time}`;
    case 'weekly': return `${choice.weekday} ${choice.time}`;
    case 'monthly': return `*-*-${choice.day.toString().padStart(2, '0')} ${choice.time}`;
    case 'own': return choice.text;
  }
}

const kTime = '(\\d{1,2}):(\\d{2})(?::00)?';
const kDay = `(?:\\*-\\*-\\* )?`;

// The choice that an expression is; "own" when it is none of the simple ones.
export function choiceOf(expression: string): Choice {
  const text = expression.trim().replace(/\s+/g, ' ');
  const base: Choice = { rhythm: 'own', time: '02:30', weekday: 'Sun', day: 1, text };
  const simple: Record<string, Partial<Choice>> = {
    hourly: { rhythm: 'hourly' },
    daily: { rhythm: 'daily', time: '00:00' },
    weekly: { rhythm: 'weekly', weekday: 'Mon', time: '00:00' },
    monthly: { rhythm: 'monthly', day: 1, time: '00:00' },
  };
  if (simple[text]) return { ...base, ...simple[text] };
  const time = (h: string, m: string): string => `${h.padStart(2, '0')}:${m}`;
  const valid = (h: string, m: string): boolean => Number(h) < 24 && Number(m) < 60;
  let found = new RegExp(`^${kDay}${kTime}$`).exec(text);
  if (found && valid(found[1]!, found[2]!)) return { ...base, rhythm: 'daily', time: time(found[1]!, found[2]!) };
  found = new RegExp(`^Mon\\.\\.Fri ${kDay}${kTime}$`).exec(text);
  if (found && valid(found[1]!, found[2]!)) return { ...base, rhythm: 'weekdays', time: time(found[1]!, found[2]!) };
  found = new RegExp(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${kDay}${kTime}$`).exec(text);
  if (found && valid(found[2]!, found[3]!)) return { ...base, rhythm: 'weekly', weekday: found[1]!, time: time(found[2]!, found[3]!) };
  found = new RegExp(`^\\*-\\*-(\\d{1,2}) ${kTime}$`).exec(text);
  if (found && Number(found[1]) >= 1 && Number(found[1]) <= 28 && valid(found[2]!, found[3]!))
    return { ...base, rhythm: 'monthly', day: Number(found[1]), time: time(found[2]!, found[3]!) };
  return base;
}

const kOrdinal = (n: number): string => {
  const tail = n % 10 === 1 && n !== 11 ? 'st' : n % 10 === 2 && n !== 12 ? 'nd' : n % 10 === 3 && n !== 13 ? 'rd' : 'th';
  return `${n}${tail}`;
};

function weekdayWords(text: string): string | null {
  const parts = text.split(',').map((part) => {
    const range = /^(\w{3})\.\.(\w{3})$/.exec(part);
    if (range && kLong[range[1]!] && kLong[range[2]!]) return `${kLong[range[1]!]} to ${kLong[range[2]!]}`;
    return kLong[part] ?? null;
  });
  return parts.includes(null) ? null : parts.join(', ');
}

// "Monday to Friday at 02:30"; "" for what has no short words.
export function inWords(expression: string): string {
  const choice = choiceOf(expression);
  switch (choice.rhythm) {
    case 'hourly': return 'every hour';
    case 'daily': return `every day at ${choice.time}`;
    case 'weekdays': return `Monday to Friday at ${choice.time}`;
    case 'weekly': return `every ${kLong[choice.weekday]} at ${choice.time}`;
    case 'monthly': return `on the ${kOrdinal(choice.day)} of every month at ${choice.time}`;
    case 'own': break;
  }
  const minutes = /^(?:\*-\*-\* )?\*:00?\/(\d{1,2})(?::00)?$/.exec(choice.text);
  if (minutes) return `every ${Number(minutes[1])} minutes`;
  const days = new RegExp(`^([A-Z][\\w,.]+) ${kDay}${kTime}$`).exec(choice.text);
  const words = days ? weekdayWords(days[1]!) : null;
  return words ? `${words} at ${days![2]!.padStart(2, '0')}:${days![3]}` : '';
}
