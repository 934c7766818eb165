// Who did what. A chain that cannot be edited unnoticed; here it is read and walked.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { AuditEntry, AuditHead } from '../api/schema';
import { counted, humanCount } from '../format/size';
import { Act, More, copyText } from '../ui/act';
import { Badge, Brief, Card, Empty, Field, Notice, PageHead, ProblemNotice, Time, sentence, type Tone } from '../ui/parts';
import { Table } from '../ui/table';

interface Listed { entries: AuditEntry[]; next: string | null; head: AuditHead }
const kOutcome: Record<string, Tone> = { done: 'ok', refused: 'warn', failed: 'bad' };

export function Audit(): JSX.Element {
  const list = useResource<Listed>((abort) => call('audit', { abort, query: { limit: 200 } }), [], ['jobs', 'settings']);
  const more = async (): Promise<void> => {
    const shown = list.data;
    if (!shown?.next) return;
    const next = await call('audit', { query: { limit: 200, after: shown.next } });
    list.set({ ...next, entries: [...shown.entries, ...next.entries] });
  };
  return (
    <div class="stack">
      <PageHead title="Audit" lead="Every entry holds the hash of the one before it: what is changed, taken out or reordered is named by the walk." />
      <Walk head={list.data?.head ?? null} />
      <section class="card" aria-label="Entries">
        <Loaded from={list} lines={10}>
          {(data) => (
            <>
              <Table caption="Audit log, newest first" rows={data.entries} rowKey={(e) => e.number} empty={<Empty what="There is no entry yet" />} columns={[
                { key: 'number', title: 'No.', number: true, wide: true, cell: (e) => humanCount(e.number) },
                { key: 'time', title: 'Time', cell: (e) => <Time at={e.time} seconds /> },
                { key: 'who', title: 'Who', head: true, cell: (e) => e.who },
                { key: 'origin', title: 'From', wide: true, cell: (e) => <span class="muted">{e.origin}</span> },
                { key: 'action', title: 'What', cell: (e) => <span class="break"><code>{e.action}</code> {e.object}</span> },
                { key: 'outcome', title: 'Outcome', cell: (e) => <Badge tone={kOutcome[e.outcome] ?? 'info'}>{e.outcome}</Badge> },
                { key: 'detail', title: 'Detail', wide: true, cell: (e) => <span class="muted"><Brief>{e.detail}</Brief></span> },
              ]} />
              {data.next ? <More onAct={more} /> : null}
            </>
          )}
        </Loaded>
      </section>
    </div>
  );
}

function Walk({ head }: { head: AuditHead | null }): JSX.Element {
  const [number, setNumber] = useState('');
  const [hash, setHash] = useState('');
  const [found, setFound] = useState<{ entries: number; broken: number | null; why: string; head: AuditHead } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const wrong = hash !== '' && !/^[0-9a-f]{64}$/.test(hash) ? '64 digits from 0 to 9 and a to f' : undefined;
  const walk = async (): Promise<void> => {
    if (wrong || (number === '') !== (hash === '')) return;
    setProblem(null);
    try {
      setFound(await call('verifyAudit', { query: number ? { number: Number(number), hash } : {} }));
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Card title="The chain" aside={<Act icon="shield" onAct={walk}>Walk the chain</Act>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <div role="status">
        {found === null ? null : found.broken === null && found.why === '' ? <Notice tone="ok" what={`All ${counted(found.entries, 'entry', 'entries')} fit.`} hint={number ? 'The entry that you remembered is among them.' : 'That nothing was cut off at the end is told only by an entry that was remembered elsewhere.'} />
          : <Notice tone="bad" what={sentence(found.why || `entry ${found.broken} does not fit`)} hint="Keep the state file as it is, and find out who could write to it." />}
      </div>
      {head ? <div class="row"><span class="muted">Last entry: no. {humanCount(head.number)}</span><code class="break small">{head.hash}</code><button type="button" class="small" onClick={() => { void copyText(`${head.number} ${head.hash}`); }}>Copy</button></div> : null}
      <details>
        <summary>Compare with an entry that was remembered elsewhere</summary>
        <div class="fields">
          <Field label="Number">{(a) => <input {...a} type="number" min={1} value={number} onInput={(e) => setNumber(e.currentTarget.value)} />}</Field>
          <Field label="Hash" wrong={wrong}>{(a) => <input {...a} class="mono" spellcheck={false} value={hash} onInput={(e) => setHash(e.currentTarget.value.trim().toLowerCase())} />}</Field>
        </div>
        <p class="muted small">Number and hash of the last entry stand in every notification and in the label of every scheduled point.</p>
      </details>
    </Card>
  );
}
