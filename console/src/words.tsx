// How states are said: the same word, sign and colour on every page.
import type { JSX } from 'preact';
import type { Job, PointSummary, Schedule, Step } from './api/schema';
import { Badge, Time, type Tone } from './ui/parts';
import type { IconName } from './ui/icons';

interface Word { tone: Tone; text: string; icon?: IconName }

export const kOutcome: Record<'done' | 'findings' | 'failed' | 'stopped' | 'interrupted' | 'queued' | 'running' | 'stopping', Word> = {
  done: { tone: 'ok', text: 'Done' },
  findings: { tone: 'warn', text: 'Done, with findings' },
  failed: { tone: 'bad', text: 'Failed' },
  stopped: { tone: 'off', text: 'Stopped' },
  interrupted: { tone: 'bad', text: 'Interrupted' },
  queued: { tone: 'off', text: 'Waiting', icon: 'clock' },
  running: { tone: 'info', text: 'Running', icon: 'running' },
  stopping: { tone: 'info', text: 'Stopping', icon: 'stop' },
};

export function jobWord(job: Job): Word {
  if (job.state === 'queued') return kOutcome.queued;
  if (job.state === 'running') return job.stopping ? kOutcome.stopping : kOutcome.running;
  return kOutcome[job.outcome ?? (job.state === 'interrupted' ? 'interrupted' : 'failed')];
}

export function JobBadge({ job }: { job: Job }): JSX.Element {
  const { text, ...look } = jobWord(job);
  return <Badge {...look}>{text}</Badge>;
}

const kPoint: Record<PointSummary['status'], Word> = {
  complete: { tone: 'ok', text: 'Complete' },
  complete_with_findings: { tone: 'warn', text: 'Complete, with findings' },
  incomplete: { tone: 'bad', text: 'Incomplete' },
};

export function pointTone(point: Pick<PointSummary, 'status' | 'verified'>): Tone {
  return point.verified?.failed ? 'bad' : kPoint[point.status].tone;
}

export function PointBadge({ status }: { status: PointSummary['status'] }): JSX.Element {
  const { text, ...look } = kPoint[status];
  return <Badge {...look}>{text}</Badge>;
}

// What a level of verification means: docs/verification.md.
export const kLevels = {
  none: 'nothing passed',
  exists: 'every object is there',
  bytes: 'every byte is as it was written',
  content: 'everything was decoded and compared',
  restore: 'everything was restored and checked',
} as const;

export function Verified({ verified }: { verified: PointSummary['verified'] }): JSX.Element {
  if (!verified) return <Badge tone="off">Never verified</Badge>;
  if (verified.failed) return <span class="nowrap"><Badge tone="bad">Damage found</Badge> <Time at={verified.time} style="ago" /></span>;
  const strong = verified.level === 'content' || verified.level === 'restore';
  return (
    <span class="nowrap" title={kLevels[verified.level]}>
      <Badge tone={strong ? 'ok' : 'info'}>{verified.level}</Badge> <Time at={verified.time} style="ago" />
    </span>
  );
}

const kSchedule: Record<Schedule['state'], Word> = {
  off: { tone: 'off', text: 'Off' },
  waiting: { tone: 'ok', text: 'On' },
  queued: { tone: 'info', text: 'Waiting to run', icon: 'clock' },
  running: { tone: 'info', text: 'Running', icon: 'running' },
  overdue: { tone: 'bad', text: 'Overdue', icon: 'clock' },
  unusable: { tone: 'bad', text: 'Unusable' },
};

export function ScheduleBadge({ state }: { state: Schedule['state'] }): JSX.Element {
  const { text, ...look } = kSchedule[state];
  return <Badge {...look}>{text}</Badge>;
}

export const kStep: Record<Step['state'], Word> = {
  pending: { tone: 'off', text: 'To do', icon: 'clock' },
  done: { tone: 'ok', text: 'Done' },
  skipped: { tone: 'warn', text: 'Left out' },
  deferred: { tone: 'warn', text: 'Later', icon: 'clock' },
  left_to_person: { tone: 'info', text: 'For you', icon: 'person' },
  failed: { tone: 'bad', text: 'Failed' },
  cannot_run_here: { tone: 'bad', text: 'Cannot run here' },
};

export const kGroups = ['Before anything', 'Step 1: database', 'Step 2: re-installation', 'Step 3: configuration and content', 'Checks'] as const;

export const kOrigin: Record<PointSummary['origin'], string> = { manual: 'by hand', scheduled: 'scheduled', imported: 'imported' };

export const kKinds: Record<Job['kind'], string> = {
  backup: 'Backup', verify: 'Verification', check: 'Check of the repository', copy: 'Copy', retention: 'Retention', prune: 'Freeing space',
  export: 'Export', restore: 'Restore', recover: 'Recovery', kit: 'Kit',
};

export const kRoles = {
  viewer: 'sees points, jobs and status',
  operator: 'and starts backups, verifications and copies, pins points',
  recovery: 'and downloads files, exports, restores, recovers',
  administrator: 'and changes retention, settings, users; reads the audit log',
} as const;

export function Criticality({ value }: { value: string }): JSX.Element {
  return <span class="tag">{value}</span>;
}
