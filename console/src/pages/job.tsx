// One job: how far it is, what it says, what came of it.
import type { JSX } from 'preact';
import { call } from '../api/client';
import { useResource } from '../api/resource';
import type { PageProps } from '../router';
import { Act, startJob } from '../ui/act';
import { JobProgress, JobResult, Log, StopButton, goesOn, jobSeconds, rightOf, useJob } from '../ui/job_parts';
import { Card, Duration, Facts, Loading, Notice, PageHead, ProblemNotice, Time } from '../ui/parts';
import { JobBadge, kKinds } from '../words';

export function JobPage({ params }: PageProps): JSX.Element {
  const id = Number(params['id']);
  const known = useResource((abort) => call('job', { abort, params: { job: id } }), [id]);
  if (!known.data && known.problem) return <><PageHead title={`Job ${params['id']}`} crumbs={[{ text: 'Jobs', href: '/jobs' }]} /><ProblemNotice problem={known.problem} again={known.reload} /></>;
  if (!known.data) return <Loading lines={8} />;
  return <Followed id={id} />;
}

function Followed({ id }: { id: number }): JSX.Element {
  const { job, lines, first, lost } = useJob(id);
  return (
    <div class="stack">
      <PageHead title={job ? `${kKinds[job.kind]}, job ${id}` : `Job ${id}`} crumbs={[{ text: 'Jobs', href: '/jobs' }]} lead={job ? <span class="mono break">{job.does}</span> : undefined}>
        {job ? <><JobBadge job={job} /><StopButton job={job} /></> : null}
        {job?.state === 'ended' && job.kind === 'recover' && job.outcome !== 'done' ? <a class="button" href="/recovery">Steps</a> : null}
        {job && !goesOn(job) && job.kind === 'backup' ? <Act right={rightOf('backup')} icon="play" onAct={() => startJob({ kind: 'backup' })}>Back up now</Act> : null}
      </PageHead>
      {lost ? <Notice tone="warn" what="The connection is lost; it is being tried again." hint="The job goes on without this page." /> : null}
      {job ? (
        <>
          <JobResult job={job} />
          <Card>
            <JobProgress job={job} />
            <Facts two rows={[
              ['Started by', job.who],
              ...(job.schedule ? [['Schedule', <span key="s">{job.schedule}{job.slot ? <>, for <Time at={job.slot} /></> : ', run by hand'}</span>] as [string, JSX.Element]] : []),
              ['Queued', <Time key="q" at={job.queued} seconds />],
              ['Started', <Time key="t" at={job.started} seconds />],
              ['Ended', <Time key="e" at={job.ended} seconds />],
              ['Took', <Duration key="d" seconds={jobSeconds(job)} />],
              ['Exit code', job.exit === null ? '–' : String(job.exit)],
              ['Findings', String(job.findings)],
            ]} />
          </Card>
        </>
      ) : <Loading lines={4} />}
      <Card title="Log" plain aside={job ? <span class="muted small">{job.lines} lines</span> : undefined}>
        <Log lines={lines} first={first} running={job ? goesOn(job) : true} />
      </Card>
    </div>
  );
}
