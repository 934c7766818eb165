// What must lie outside the server for the worst day, and how old it is.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { Kit } from '../api/schema';
import { Act, copyText, startJob } from '../ui/act';
import { FindingList } from '../ui/alert_list';
import { JobLine1 } from '../ui/job_parts';
import { Badge, Brief, Card, Dialog, Empty, Facts, Field, Notice, PageHead, ProblemNotice, Time } from '../ui/parts';
import { Table } from '../ui/table';

export function KitPage(): JSX.Element {
  const kit = useResource((abort) => call('kit', { abort }), [], ['points', 'jobs']);
  const [writing, setWriting] = useState(false);
  return (
    <div class="stack">
      <PageHead title="Kit" lead="What lies outside this server, so that it can come back when everything here is gone.">
        <Act right="operate" look="primary" icon="kit" onAct={() => setWriting(true)}>Write a kit</Act>
      </PageHead>
      <Loaded from={kit} lines={6}>{(k) => <KitOf kit={k} />}</Loaded>
      {writing ? <WriteDialog folder={kit.data?.kit.folder ?? ''} onClose={() => setWriting(false)} /> : null}
    </div>
  );
}

function KitOf({ kit: k }: { kit: Kit }): JSX.Element {
  return (
    <>
      {k.findings.length ? <Card title="Findings" plain><FindingList findings={k.findings} /></Card> : null}
      <div class="halves">
        <Card title="The kit" aside={k.kit.written === null ? <Badge tone="bad">never written</Badge> : k.kit.stale ? <Badge tone="warn">too old</Badge> : <Badge tone="ok">fresh</Badge>}>
          {k.kit.written === null ? <Notice tone="warn" what="No kit was written from this server." hint="Write one to a USB stick or share, print PLAN.txt, and keep it away from this server." /> : (
            <Facts rows={[
              ['Written', <span key="w"><Time at={k.kit.written} /> (<Time at={k.kit.written} style="ago" />)</span>],
              ['To', <code key="f">{k.kit.folder}</code>],
              ['Seen from here', k.kit.reachable ? <Badge key="r" tone="warn">yes: carry it away</Badge> : <Badge key="r" tone="ok">no, as it should be</Badge>],
            ]} />
          )}
          <p class="muted small">It holds the program with its hash, the addresses of repository and copies, the head code and the recovery plan as text with boxes to tick. No password, no key: put the recovery key beside it in an envelope.</p>
        </Card>
        <Card title="Head code">
          {k.head ? <div class="row"><code class="head-code">{k.head}</code><button type="button" class="small" onClick={() => { void copyText(k.head); }}>Copy</button></div> : <p class="muted">There is no recovery point yet.</p>}
          <p class="muted small">It names the newest record of the repository. Given at a recovery, it proves that nobody brought back an older repository. It changes with every backup.</p>
        </Card>
      </div>
      <Card title="Copies" plain>
        <Table caption="Copies of the repository" rows={k.copies} rowKey={(c) => c.name} empty={<Empty what="There is no copy of the repository">Add one at <a href="/critical-data-backup">Critical Data Backup</a>: in a different file system, best on another server.</Empty>} columns={[
          { key: 'name', title: 'Copy', head: true, cell: (c) => c.name },
          { key: 'place', title: 'Place', wide: true, cell: (c) => <code>{c.repository}</code> },
          { key: 'fresh', title: 'Brought up to date', cell: (c) => (c.last_success ? <Time at={c.last_success} style="spoken" /> : <Badge tone="bad">never</Badge>) },
          { key: 'last', title: 'Last job', cell: (c) => (c.last ? <JobLine1 job={c.last} /> : <span class="muted">none</span>) },
          { key: 'act', title: 'Actions', actions: true, cell: (c) => <Act right="operate" look="quiet small" icon="play" label={`Copy now to ${c.name}`} onAct={() => startJob({ kind: 'copy', parameters: { copy: c.name } })}>Copy now</Act> },
        ]} />
      </Card>
      <Card title="Exports" plain>
        <Table caption="The newest exports" rows={k.exports} rowKey={(j) => j.id} empty={<Empty what="Nothing was exported yet">A backup file or plain files: open a <a href="/points">recovery point</a> and export it.</Empty>} columns={[
          { key: 'does', title: 'Export', head: true, cell: (j) => <Brief>{j.does}</Brief> },
          { key: 'job', title: 'Job', cell: (j) => <JobLine1 job={j} /> },
          { key: 'who', title: 'Who', wide: true, cell: (j) => j.who },
        ]} />
      </Card>
    </>
  );
}

function WriteDialog({ folder: before, onClose }: { folder: string; onClose: () => void }): JSX.Element {
  const [folder, setFolder] = useState(before);
  const [problem, setProblem] = useState<Problem | null>(null);
  const start = async (): Promise<void> => {
    try {
      await startJob({ kind: 'kit', parameters: { folder } });
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Dialog title="Write a kit" onClose={onClose} onSubmit={() => { void start(); }} actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Write</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <Field label="Folder on the server" help="On something that is carried away: a USB stick, a share on another server">{(a) => <input {...a} class="mono" required pattern="/.+" spellcheck={false} value={folder} placeholder="/mnt/usb/kit" onInput={(e) => setFolder(e.currentTarget.value)} />}</Field>
    </Dialog>
  );
}
