// What needs attention, each with what to do about it.
import type { JSX } from 'preact';
import type { Alert, Finding } from '../api/schema';
import { grouped } from './alert_groups';
import { Icon } from './icons';
import { Time, sentence } from './parts';

export function AlertList({ alerts }: { alerts: Alert[] }): JSX.Element {
  return (
    <ul class="findings">
      {grouped(alerts).map(({ alerts: same, what }) => {
        const first = same[0]!;
        const bad = first.severity === 'critical';
        return (
          <li key={`${first.code}/${first.object}/${first.message}`} class={bad ? 'bad' : 'warn'}>
            <Icon name={bad ? 'bad' : 'warn'} />
            {same.length === 1 ? <One alert={first} /> : (
              <details>
                <summary><span class="hidden-text">{first.severity}: </span>{sentence(what)} <span class="muted">{same.map((a) => a.object).join(', ')}</span></summary>
                <div class="stack tight">{same.map((a) => <One key={a.object} alert={a} />)}</div>
              </details>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function One({ alert: a }: { alert: Alert }): JSX.Element {
  return (
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
  );
}

export function FindingList({ findings }: { findings: Finding[] }): JSX.Element {
  return <AlertList alerts={findings.map((f) => ({ ...f, severity: 'warning', source: 'status', since: null, job: null, schedule: null }))} />;
}
