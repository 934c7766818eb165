// What happens while the page is open: one event stream for the whole page (a browser has six connections to a host). It tells which jobs
// run, how far they are, and which lists are to be asked for again.
import { effect, signal } from '@preact/signals';
import { call, signedIn, urlOf } from './client';
import type { Job, Progress } from './schema';

export type Topic = 'points' | 'schedules' | 'settings' | 'alerts' | 'jobs';

export const connection = signal<'waiting' | 'open' | 'lost'>('waiting');
export const jobs = signal<ReadonlyMap<number, Job>>(new Map());   // queued, running, and those that ended since the page was opened
export const changes: Record<Topic, { value: number }> = {
  points: signal(0), schedules: signal(0), settings: signal(0), alerts: signal(0), jobs: signal(0),
};

export const active = (): Job[] => [...jobs.value.values()].filter((j) => j.state === 'queued' || j.state === 'running').sort((a, b) => a.id - b.id);

const kOrder: Record<Job['state'], number> = { queued: 0, running: 1, ended: 2, interrupted: 2 };

// Answers and events overtake each other: what was true earlier is not taken. Lists leave results out, events large ones: one that is known stays.
export function see(job: Job): void {
  const known = jobs.value.get(job.id);
  if (known && kOrder[job.state] < kOrder[known.state]) return;
  const next = new Map(jobs.value);
  next.set(job.id, { ...job, result: job.result ?? known?.result ?? null });
  jobs.value = next;
  if (known?.state !== job.state) {
    changes.jobs.value += 1;
    if (job.state === 'ended') for (const topic of ['points', 'schedules', 'alerts'] as const) changes[topic].value += 1;
  }
}

function progressed(progress: Progress & { job: number }): void {
  const job = jobs.value.get(progress.job);
  if (!job) return;
  const next = new Map(jobs.value);
  next.set(job.id, { ...job, progress });
  jobs.value = next;
}

const parsed = <T>(event: Event): T => JSON.parse((event as MessageEvent<string>).data) as T;

const kFirstWait = 2_000, kLongestWait = 30_000;   // ms between tries; a service that restarts is back in seconds
let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let wait = kFirstWait;

function connect(): void {
  let wasLost = connection.peek() === 'lost';
  source = new EventSource(urlOf('/events'));
  source.addEventListener('open', () => {
    wait = kFirstWait;
    connection.value = 'open';
    if (wasLost) {
      // What was missed is not repeated: jobs that ended meanwhile are asked for again with everything else.
      for (const topic of Object.values(changes)) topic.value += 1;
      void forgetEnded();
    }
    wasLost = false;
  });
  source.addEventListener('job', (event) => see(parsed<Job>(event)));
  source.addEventListener('progress', (event) => progressed(parsed(event)));
  source.addEventListener('changed', (event) => {
    const topic = changes[parsed<{ what: Topic }>(event).what];
    if (topic) topic.value += 1;
  });
  source.addEventListener('error', () => {
    connection.value = 'lost';
    wasLost = true;
    if (source?.readyState !== EventSource.CLOSED) return;   // else the browser comes back by itself
    source = null;
    timer = setTimeout(() => { void tryAgain(); }, wait);
    wait = Math.min(wait * 2, kLongestWait);
  });
}

// A stream that was refused says not why; this says whether the session has ended.
async function tryAgain(): Promise<void> {
  try {
    await call('whoAmI');
  } catch {
    if (signedIn.value !== 'yes') return;
  }
  if (signedIn.value === 'yes' && !source) connect();
}

async function forgetEnded(): Promise<void> {
  for (const job of active()) {
    try {
      see(await call('job', { params: { job: job.id } }));
    } catch {
      return;   // the page's own requests say what is wrong
    }
  }
}

export function startLive(): void {
  effect(() => {
    if (signedIn.value === 'yes') {
      if (!source) connect();
    } else {
      clearTimeout(timer);
      source?.close();
      source = null;
      connection.value = 'waiting';
      if (signedIn.value === 'no') jobs.value = new Map();
    }
  });
}
