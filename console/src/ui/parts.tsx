// Small parts of every page. Colour never stands alone: each status has a sign and a word.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Problem } from '../api/problem';
import { exactBytes, humanBytes } from '../format/size';
import { ago, humanSeconds, local, parseTime, spoken, utc } from '../format/time';
import { Icon, type IconName } from './icons';

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'off';
const kSigns: Record<Tone, IconName> = { ok: 'ok', warn: 'warn', bad: 'bad', info: 'info', off: 'off' };

// The clock of everything that says "ago"; once in 15 s is enough for minutes.
export const now = signal(new Date());
setInterval(() => { now.value = new Date(); }, 15_000);

export function Badge({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ComponentChildren }): JSX.Element {
  return <span class={`badge ${tone}`}><Icon name={icon ?? kSigns[tone]} />{children}</span>;
}

// Local time, UTC in the tooltip. `style`: "local" 2026-11-22 03:00, "spoken" today 03:00, "ago" 8 h ago.
export function Time({ at, style = 'local', seconds = false }: { at: string | null | undefined; style?: 'local' | 'spoken' | 'ago'; seconds?: boolean }): JSX.Element {
  const time = at ? parseTime(at) : null;
  if (!time) return <span class="muted">–</span>;
  const text = style === 'ago' ? ago(time, now.value) : style === 'spoken' ? spoken(time, now.value) : local(time, seconds);
  const tip = style === 'local' ? utc(time) : `${local(time, true)} (${utc(time)})`;
  return <time class="nowrap" dateTime={at ?? ''} title={tip}>{text}</time>;
}

export function Bytes({ value }: { value: number | null | undefined }): JSX.Element {
  if (value === null || value === undefined) return <span class="muted">–</span>;
  return <span class="nowrap" title={exactBytes(value)}>{humanBytes(value)}</span>;
}

export function Duration({ seconds }: { seconds: number | null | undefined }): JSX.Element {
  if (seconds === null || seconds === undefined) return <span class="muted">–</span>;
  return <span class="nowrap" title={`${seconds.toFixed(seconds < 1000 ? 3 : 0)} seconds`}>{humanSeconds(seconds)}</span>;
}

export const shortId = (id: string): string => id.slice(0, 12);
// Ids and hashes within a text, as short as elsewhere; the tooltip has them whole.
export const withShortIds = (text: string): string => text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1');
export function Brief({ children }: { children: string }): JSX.Element {
  const short = withShortIds(children);
  return <span class="break" title={short === children ? undefined : children}>{short}</span>;
}

export function PointLink({ id }: { id: string }): JSX.Element {
  return <a class="mono" href={`/points/${id}`} title={id}>{shortId(id)}</a>;
}

// One thing that a person must know: what, then what is still safe, then what to do.
export function Notice({ tone, what, safe, hint, children, act }: {
  tone: Tone; what: ComponentChildren; safe?: ComponentChildren; hint?: ComponentChildren; children?: ComponentChildren; act?: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`notice ${tone}`}>
      <Icon name={kSigns[tone]} />
      <div class="what">{what}</div>
      {safe ? <div class="more">Still safe: {safe}</div> : null}
      {hint ? <div class="next">{hint}</div> : null}
      {children ? <div class="next">{children}</div> : null}
      {act ? <div class="act">{act}</div> : null}
    </div>
  );
}

export function ProblemNotice({ problem, again }: { problem: Problem; again?: (() => void) | undefined }): JSX.Element {
  const what = sentence(problem.detail || problem.title);   // the title says only what the code means
  return (
    <div role="alert">
      <Notice tone="bad" what={what} safe={stopped(problem.safe)} hint={sentence(problem.hint)}
        act={again ? <button type="button" onClick={again}>Try again</button> : undefined} />
    </div>
  );
}

// The program's texts begin small, as they stand behind its name; as a sentence of a page they do not.
export function sentence(text: string): string {
  if (text === '') return '';
  return stopped(/^[a-z]/.test(text) && !/^[a-z]+[._/]/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text);
}

// With a full stop at its end: what follows "Still safe: ".
export function stopped(text: string): string {
  return text === '' || /[.!?:]$/.test(text) ? text : `${text}.`;
}

export function Loading({ lines = 4, label = 'Loading' }: { lines?: number; label?: string }): JSX.Element {
  return (
    <div class="loading" role="status">
      <span class="hidden-text">{label}</span>
      {Array.from({ length: lines }, (_, i) => <div class="loading-line" key={i} />)}
    </div>
  );
}

export function Empty({ what, children }: { what: ComponentChildren; children?: ComponentChildren }): JSX.Element {
  return <div class="empty"><strong>{what}</strong>{children ? <div>{children}</div> : null}</div>;
}

export function Card({ title, aside, children, footer, id, plain = false, level = 2 }: {
  title?: ComponentChildren; aside?: ComponentChildren; children?: ComponentChildren; footer?: ComponentChildren; id?: string; plain?: boolean; level?: 2 | 3;
}): JSX.Element {
  const made = useId();
  const heading = id ?? made;
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section class="card" aria-labelledby={title ? heading : undefined}>
      {title ? <header><Heading id={heading}>{title}</Heading>{aside ? <div class="row">{aside}</div> : null}</header> : null}
      {plain ? children : <div class="body stack">{children}</div>}
      {footer ? <footer>{footer}</footer> : null}
    </section>
  );
}

export function Facts({ rows, two = false }: { rows: [ComponentChildren, ComponentChildren][]; two?: boolean }): JSX.Element {
  return <dl class={two ? 'facts two' : 'facts'}>{rows.map(([name, value], i) => [<dt key={`n${i}`}>{name}</dt>, <dd key={`v${i}`}>{value}</dd>])}</dl>;
}

export interface Crumb { text: string; href: string }

export function PageHead({ title, lead, crumbs, children }: { title: string; lead?: ComponentChildren; crumbs?: Crumb[]; children?: ComponentChildren }): JSX.Element {
  useEffect(() => { document.title = `${title} · Holdfast`; }, [title]);
  return (
    <div class="page-head">
      <div class="grow">
        {crumbs ? <nav class="crumbs" aria-label="Where this is">{crumbs.map((c) => <a key={c.href} href={c.href}>{c.text}</a>)}</nav> : null}
        <h1>{title}</h1>
        {lead ? <p class="lead">{lead}</p> : null}
      </div>
      {children ? <div class="row no-print">{children}</div> : null}
    </div>
  );
}

// A modal question. The browser's own dialog keeps the focus inside and gives it back; Escape closes.
export function Dialog({ title, onClose, children, actions, large = false, fixed = false, onSubmit }: {
  title: string; onClose: () => void; children: ComponentChildren; actions?: ComponentChildren; large?: boolean; fixed?: boolean; onSubmit?: () => void;
}): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const inside = (
    <>
      <header>
        <h2 id={heading}>{title}</h2>
        {fixed ? null : <button type="button" class="icon" onClick={onClose} aria-label="Close"><Icon name="close" /></button>}
      </header>
      <div class="body">{children}</div>
      {actions ? <footer>{actions}</footer> : null}
    </>
  );
  return (
    <dialog ref={ref} class={large ? 'large' : ''} aria-labelledby={heading}
      onCancel={(event) => { event.preventDefault(); if (!fixed) onClose(); }}>
      {onSubmit ? <form class="inside" onSubmit={(event) => { event.preventDefault(); onSubmit(); }}>{inside}</form> : <div class="inside">{inside}</div>}
    </dialog>
  );
}

export function Field({ label, help, wrong, children, wide = false }: {
  wide?: boolean; label: string; help?: ComponentChildren; wrong?: string | undefined; children: (attributes: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' }) => JSX.Element;
}): JSX.Element {
  const id = useId();
  const described = [help ? `${id}-help` : '', wrong ? `${id}-wrong` : ''].filter(Boolean).join(' ');
  const attributes = { id, ...(described ? { 'aria-describedby': described } : {}), ...(wrong ? { 'aria-invalid': 'true' as const } : {}) };
  return (
    <div class={wide ? 'field wide-field' : 'field'}>
      <label for={id}>{label}</label>
      {children(attributes)}
      {help ? <span class="help" id={`${id}-help`}>{help}</span> : null}
      {wrong ? <span class="wrong" id={`${id}-wrong`} role="alert">{wrong}</span> : null}
    </div>
  );
}

// Short news at the edge of the page; a problem stays until it is closed.
interface Toast { id: number; tone: Tone; what: string; safe: string; hint: string }
const toasts = signal<Toast[]>([]);
let toastId = 0;

export function tell(tone: Tone, what: string, safe = '', hint = ''): void {
  toastId += 1;
  const id = toastId;
  toasts.value = [...toasts.value.slice(-3), { id, tone, what, safe, hint }];
  if (tone !== 'bad') setTimeout(() => { toasts.value = toasts.value.filter((t) => t.id !== id); }, 7000);
}

export function tellProblem(problem: Problem): void {
  tell('bad', problem.detail || problem.title, stopped(problem.safe), sentence(problem.hint));
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <Notice key={t.id} tone={t.tone} what={t.what} safe={t.safe} hint={t.hint}
          act={<button type="button" class="icon" aria-label="Close this message" onClick={() => { toasts.value = toasts.value.filter((x) => x.id !== t.id); }}><Icon name="close" /></button>} />
      ))}
    </div>
  );
}
