// Lines of a job's log for people. The log is the command line's JSON lines; what is none is shown as it is.

export interface ShownLine { number: number; tone: '' | 'bad' | 'warn' | 'faint'; text: string }

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export function shownLine(number: number, raw: string): ShownLine {
  let line: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(raw);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { number, tone: '', text: raw };
    line = parsed as Record<string, unknown>;
  } catch {
    return { number, tone: '', text: raw };
  }
  switch (line['type']) {
    case 'finding': {
      const hint = text(line['hint']);
      return { number, tone: 'warn', text: `finding ${text(line['code'])}  ${text(line['object'])}: ${text(line['message'])}${hint ? `\n  ${hint}` : ''}` };
    }
    case 'error': {
      const more = [text(line['safe']), text(line['hint'])].filter(Boolean).map((t) => `\n  ${t}`).join('');
      return { number, tone: 'bad', text: `error ${text(line['code'])}  ${text(line['message'])}${more}` };
    }
    case 'progress': return { number, tone: 'faint', text: `${text(line['phase'])}  ${String(line['bytes'] ?? '')} bytes` };
    case 'result': return { number, tone: '', text: `result  ${brief(line)}` };
    default: return { number, tone: '', text: raw };
  }
}

// The short values of a result; lists as how many.
function brief(line: Record<string, unknown>): string {
  return Object.entries(line)
    .filter(([key]) => key !== 'type' && key !== 'schema')
    .map(([key, value]) => {
      if (Array.isArray(value)) return `${key}: ${value.length}`;
      if (typeof value === 'object' && value !== null) return `${key}: …`;
      return `${key}: ${String(value)}`;
    })
    .join(', ');
}
