// Many findings of one kind, such as eighteen items that were never captured, are one line until somebody wants to see each.
import type { Alert } from '../api/schema';

export interface AlertGroup { alerts: Alert[]; what: string }

const kAlone = 3;   // as many of a kind stand by themselves
const firstSentence = (text: string): string => text.split(/\.\s/)[0]!.replace(/\.$/, '');

// Critical ones first, otherwise in the order in which the first of each kind stands.
export function grouped(alerts: Alert[]): AlertGroup[] {
  const kinds = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const kind = `${alert.severity}/${alert.code}/${firstSentence(alert.message)}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), alert]);
  }
  return [...kinds.values()]
    .flatMap((same) => (same.length > kAlone ? [{ alerts: same, what: firstSentence(same[0]!.message) }] : same.map((alert) => ({ alerts: [alert], what: '' }))))
    .sort((a, b) => Number(b.alerts[0]!.severity === 'critical') - Number(a.alerts[0]!.severity === 'critical'));
}
