import { describe, expect, it } from 'vitest';
import type { Alert } from '../api/schema';
import { grouped } from './alert_groups';

const alert = (object: string, message: string, severity: Alert['severity'] = 'warning', code = 'item_missing'): Alert =>
  ({ code, object, message, hint: '', severity, source: 'status', since: null, job: null, schedule: null });

describe('what needs attention', () => {
  const missing = ['a', 'b', 'c', 'd'].map((o) => alert(o, `never captured. If lost: ${o}`));
  it('is one line for many of a kind', () => expect(grouped(missing)).toEqual([{ alerts: missing, what: 'never captured' }]));
  it('is a line each for a few', () => expect(grouped(missing.slice(1)).map((g) => g.alerts.length)).toEqual([1, 1, 1]));
  it('tells kinds, causes and severities apart', () =>
    expect(grouped([...missing, alert('e', 'failed in the newest point. If lost: e'), alert('f', 'never captured', 'critical')]).map((g) => g.alerts.map((a) => a.object).join('')))
      .toEqual(['f', 'abcd', 'e']));
});
