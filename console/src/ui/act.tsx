// Buttons that do something: busy while it is under way, problems told, and for those who may not: there, not usable, and saying why.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, may, session, type Right } from '../api/client';
import { see } from '../api/live';
import { problemOf } from '../api/problem';
import type { Job, NewJob } from '../api/schema';
import { Icon, type IconName } from './icons';
import { tell, tellProblem, withShortIds } from './parts';

export function Act({ right, onAct, children, icon, look = '', disabled = false, label, why }: {
  right?: Right; onAct: () => Promise<unknown> | void; children: ComponentChildren; icon?: IconName; look?: string; disabled?: boolean; label?: string; why?: string;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const allowed = right === undefined || may(right);
  const off = !allowed || disabled;
  const act = async (): Promise<void> => {
    if (off || busy) return;
    setBusy(true);
    try {
      await onAct();
    } catch (error) {
      tellProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const reason = allowed ? (disabled ? why : undefined) : `Your role (${session.value?.role ?? 'none'}) has no right for this`;
  return (
    <button type="button" class={look} onClick={() => { void act(); }} aria-disabled={off || busy ? 'true' : undefined} title={reason} aria-label={label} aria-busy={busy ? 'true' : undefined}>
      {icon ? <Icon name={icon} /> : null}{children}
      {off && reason ? <span class="hidden-text"> ({reason})</span> : null}
    </button>
  );
}

export async function startJob(job: NewJob): Promise<Job> {
  const started = await call('startJob', { body: job });
  queued(started);
  return started;
}

export function queued(job: Job): void {
  see(job);
  tell('info', `Job ${job.id} is queued: ${withShortIds(job.does)}`);
}

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tell('ok', 'Copied');
  } catch {
    tell('warn', 'The browser did not allow copying', '', 'Select the text and copy it by hand.');
  }
}

// Below a list that goes on.
export function More({ onAct }: { onAct: () => Promise<unknown> }): JSX.Element {
  return <div class="row foot"><Act onAct={onAct}>Show more</Act></div>;
}
