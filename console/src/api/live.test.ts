import { beforeEach, describe, expect, it } from 'vitest';
import { active, changes, jobs, see } from './live';
import type { Job } from './schema';

const job = (state: Job['state'], result: Job['result'] = null): Job => ({ id: 7, state, result }) as Job;

describe('jobs as they are told', () => {
  beforeEach(() => { jobs.value = new Map(); });

  it('takes no step back when an answer comes after the event that is newer', () => {
    see(job('running'));
    see(job('queued'));
    expect(active().map((j) => j.state)).toEqual(['running']);
    see(job('ended'));
    see(job('running'));
    expect(active()).toEqual([]);
  });
  it('keeps a result that a later list leaves out', () => {
    see(job('ended', { point: '3f' }));
    see(job('ended'));
    expect(jobs.value.get(7)?.result).toEqual({ point: '3f' });
  });
  it('has points, schedules and alerts asked for again when one ends, once', () => {
    const before = changes.points.value;
    for (const state of ['queued', 'running', 'ended', 'ended'] as const) see(job(state));
    expect(changes.points.value).toBe(before + 1);
  });
});
