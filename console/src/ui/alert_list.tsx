// What needs attention, each with what to do about it.
import type { JSX } from 'preact';
import type { Alert, Finding } from '../api/schema';
import { Icon } from './icons';
import { Time, sentence } from './parts';

export function AlertList({ alerts }: { alerts: Alert[] }): JSX.Element {
  return (
    <ul class="findings">
      {[...alerts].sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical')).map((a, i) => (
        <li key={`${a.code}/${a.object}/${i}`} class={a.severity === 'critical' ? 'bad' : 'warn'}>
          <Icon name={a.severity === 'critical' ? 'bad' : 'warn'} />
          <div>
            <p class="break"><span class="hidden-text">{a.severity}: </span><strong>{a.object}</strong> {sentence(a.message)}</p>
            {a.hint ? <p class="break">{sentence(a.hint)}</p> : null}
            <p class="muted small">
              <code>{a.code}</code>
              {a.since ? <> since <Time at={a.since} style="spoken" /></> : null}
              {a.job ? <> · <a href={`/jobs/${a.job}`}>job {a.job}</a></> : null}
              {a.schedule ? <> · <a href="/critical-data-backup">schedule {a.schedule}</a></> : null}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}

export function FindingList({ findings }: { findings: Finding[] }): JSX.Element {
  return <AlertList alerts={findings.map((f) => ({ ...f, severity: 'warning', source: 'status', since: null, job: null, schedule: null }))} />;
}
