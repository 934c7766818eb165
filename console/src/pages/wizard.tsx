// "Back up or restore configuration": the wizard of the process. Choose, where or from what, items, review, run, result.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { may, session } from '../api/client';
import { place, setQuery } from '../router';
import { Card, PageHead } from '../ui/parts';
import { BackupWizard } from './wizard_backup';
import { RestoreWizard } from './wizard_restore';

export function Wizard(): JSX.Element {
  const chosen = place.value.query.get('do');
  if (chosen === 'backup' && may('operate')) return <BackupWizard />;
  if (chosen === 'restore' && may('recover')) return <RestoreWizard from={place.value.query.get('point') ?? ''} />;
  return <Choose />;
}

function Choose(): JSX.Element {
  const [what, setWhat] = useState<'backup' | 'restore'>(may('operate') ? 'backup' : 'restore');
  const role = session.value?.role;
  const allowed = what === 'backup' ? may('operate') : may('recover');
  return (
    <div class="stack">
      <PageHead title="Back up or restore configuration" lead="By hand, with a review before anything is done." />
      <Card>
        <form class="stack" onSubmit={(event) => { event.preventDefault(); if (allowed) setQuery({ do: what }); }}>
          <fieldset class="choice">
            <legend class="hidden-text">What do you want to do?</legend>
            <label><input type="radio" name="what" checked={what === 'backup'} onChange={() => setWhat('backup')} /><strong>Back up</strong><span>Makes a recovery point by hand, and a password-protected backup file if you want one. No rule ever deletes it.</span></label>
            <label><input type="radio" name="what" checked={what === 'restore'} onChange={() => setWhat('restore')} /><strong>Restore</strong><span>Gives items back from a recovery point or a backup file, into a folder or to where they were.</span></label>
          </fieldset>
          {allowed ? null : <p class="muted">Your role ({role}) has no right for this.</p>}
          <p class="muted small">After the loss of the whole server use <a href="/recovery">Recovery</a>: it does everything in the right order.</p>
          <div><button type="submit" class="primary" aria-disabled={allowed ? undefined : 'true'}>Next</button></div>
        </form>
      </Card>
    </div>
  );
}

// The frame of both: where one is, and the buttons. `next` null: this step has no way on (yet).
export function WizardFrame({ title, steps, step, children, back, next, nextText = 'Next', busy = false, danger = false }: {
  title: string; steps: readonly string[]; step: number; children: ComponentChildren; back?: (() => void) | null; next?: (() => void) | null; nextText?: string; busy?: boolean; danger?: boolean;
}): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) heading.current?.focus();
    shown.current = step;
  }, [step]);
  return (
    <div class="stack">
      <PageHead title={title} crumbs={[{ text: 'Back up or restore', href: '/back-up-or-restore' }]} />
      <ol class="steps" aria-label="Steps">
        {steps.map((s, i) => <li key={s} class={i < step ? 'past' : ''} aria-current={i === step ? 'step' : undefined}>{s}</li>)}
      </ol>
      <form class="card" onSubmit={(event) => { event.preventDefault(); if (next && !busy) next(); }}>
        <header><h2 ref={heading} tabIndex={-1}>{steps[step]}</h2></header>
        <div class="body stack">{children}</div>
        {back !== undefined || next !== undefined ? (
          <footer class="row apart">
            <span>{back ? <button type="button" onClick={back}>Back</button> : null}</span>
            {next !== undefined ? <button type="submit" class={danger ? 'danger' : 'primary'} aria-disabled={next && !busy ? undefined : 'true'} aria-busy={busy ? 'true' : undefined}>{nextText}</button> : null}
          </footer>
        ) : null}
      </form>
    </div>
  );
}
