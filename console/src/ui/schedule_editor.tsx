// A calendar expression, made from a few choices or written as in systemd, with the next five runs as the service reads it.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { problemOf } from '../api/problem';
import type { Run } from '../api/schema';
import { choiceOf, expressionOf, inWords, kWeekdays, type Choice, type Rhythm } from '../format/calendar';
import { Field, Time, sentence } from './parts';

interface Preview { normal: string; next: Run[]; wrong: string }

export function useCalendar(expression: string): Preview | null {
  const [preview, setPreview] = useState<Preview | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    if (expression.trim() === '') {
      setPreview({ normal: '', next: [], wrong: 'When is it to run?' });
      return () => abort.abort();
    }
    const timer = setTimeout(() => {
      call('calendar', { query: { expression }, abort: abort.signal }).then(
        (answer) => setPreview({ normal: answer.normal_form, next: answer.next, wrong: '' }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const problem = problemOf(error);
          setPreview({ normal: '', next: [], wrong: sentence(problem.detail || problem.title) });
        },
      );
    }, 250);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [expression]);
  return preview;
}

const kRhythms: { value: Rhythm; text: string }[] = [
  { value: 'hourly', text: 'Every hour' }, { value: 'daily', text: 'Every day' }, { value: 'weekdays', text: 'Monday to Friday' },
  { value: 'weekly', text: 'Every week' }, { value: 'monthly', text: 'Every month' }, { value: 'own', text: 'Calendar expression' },
];

export function CalendarEditor({ expression, onChange }: { expression: string; onChange: (expression: string) => void }): JSX.Element {
  const [own, setOwn] = useState(false);
  const parsed = choiceOf(expression);
  const choice: Choice = own ? { ...parsed, rhythm: 'own', text: expression } : parsed;
  const preview = useCalendar(expression);
  const change = (changes: Partial<Choice>): void => onChange(expressionOf({ ...choice, ...changes }));
  const timed = choice.rhythm !== 'own' && choice.rhythm !== 'hourly';
  return (
    <div class="stack tight">
      <div class="calendar">
        <Field label="Runs">
          {(a) => (
            <select {...a} value={choice.rhythm} onChange={(e) => {
              const rhythm = e.currentTarget.value as Rhythm;
              setOwn(rhythm === 'own');
              if (rhythm !== 'own') change({ rhythm });
            }}>
              {kRhythms.map((r) => <option key={r.value} value={r.value}>{r.text}</option>)}
            </select>
          )}
        </Field>
        {choice.rhythm === 'weekly' ? <Field label="On">{(a) => <select {...a} value={choice.weekday} onChange={(e) => change({ weekday: e.currentTarget.value })}>{kWeekdays.map((d) => <option key={d} value={d}>{d}</option>)}</select>}</Field> : null}
        {choice.rhythm === 'monthly' ? <Field label="On day">{(a) => <input {...a} type="number" min={1} max={28} value={choice.day} onInput={(e) => { const day = Number(e.currentTarget.value); if (day >= 1 && day <= 28) change({ day }); }} />}</Field> : null}
        {timed ? <Field label="At">{(a) => <input {...a} type="time" value={choice.time} onInput={(e) => { if (e.currentTarget.value) change({ time: e.currentTarget.value }); }} />}</Field> : null}
        {choice.rhythm === 'own' ? <Field label="Expression" help={<>As in systemd: <code>Mon..Fri 02:30</code>, <code>*:0/30</code></>} wrong={preview?.wrong || undefined}>{(a) => <input {...a} class="mono" spellcheck={false} value={expression} onInput={(e) => onChange(e.currentTarget.value)} />}</Field> : null}
      </div>
      <NextRunsLine preview={preview} words={inWords(expression)} />
    </div>
  );
}

function NextRunsLine({ preview, words }: { preview: Preview | null; words: string }): JSX.Element | null {
  if (!preview) return <p class="muted small">Asking when that is…</p>;
  if (preview.wrong) return <p class="small wrong" role="status">{preview.wrong}</p>;
  return (
    <p class="small muted">
      {words ? `${words[0]!.toUpperCase()}${words.slice(1)}, ` : ''}server time <span title="Normal form">(<code>{preview.normal}</code>)</span>. {preview.next.length ? 'Next runs: ' : 'It never comes.'}
      {preview.next.map((run, i) => <span key={run.time}>{i ? ', ' : ''}<span title={`Server: ${run.local}`}><Time at={run.time} style="spoken" /></span></span>)}
    </p>
  );
}

export function OnOff({ on, what, disabled, why, onChange }: { on: boolean; what: string; disabled: boolean; why?: string; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <button type="button" role="switch" class="onoff" aria-checked={on} aria-label={what} aria-disabled={disabled ? 'true' : undefined} title={disabled ? why : undefined}
      onClick={() => { if (!disabled) onChange(!on); }}>
      <span class="circle" aria-hidden="true" /><span aria-hidden="true">{on ? 'On' : 'Off'}</span>
    </button>
  );
}
