// The plan with what has become of its steps: the newest of what the plan, the journal and the job say.
import type { Job, Plan, Recovery, Step } from '../api/schema';

type State = Step['state'];
const kStates = new Set<string>(['pending', 'done', 'skipped', 'deferred', 'left_to_person', 'failed', 'cannot_run_here']);
const stateOf = (text: unknown): State | null => (typeof text === 'string' && kStates.has(text) ? (text as State) : null);

export interface ShownStep extends Step { current: boolean }

// `journal` is that of the recovery that goes on or was the last; `job` its newest job. The job's own result is later than the journal's lines.
export function shownSteps(plan: Plan, journal: Recovery | null, job: Job | null): ShownStep[] {
  const said = new Map<string, { state: State; detail: string }>();
  for (const line of journal?.steps ?? []) {
    const state = stateOf(line.state);
    if (state) said.set(line.step, { state, detail: line.detail });
  }
  const steps = job?.state === 'ended' && Array.isArray(job.result?.['steps']) ? (job.result['steps'] as Record<string, unknown>[]) : [];
  for (const line of steps) {
    const state = stateOf(line['state']);
    if (state && typeof line['name'] === 'string') said.set(line['name'], { state, detail: typeof line['detail'] === 'string' ? line['detail'] : '' });
  }
  const running = job?.state === 'running';
  let first = true;
  return plan.steps.map((step) => {
    const own = said.get(step.name);
    const state = own?.state ?? step.state;
    const current = running && first && state === 'pending';
    if (current) first = false;
    return { ...step, state, detail: own?.detail || step.detail, current };
  });
}

export function groups(steps: ShownStep[]): { group: number; steps: ShownStep[] }[] {
  const found: { group: number; steps: ShownStep[] }[] = [];
  for (const step of steps) {
    const last = found[found.length - 1];
    if (last && last.group === step.group) last.steps.push(step);
    else found.push({ group: step.group, steps: [step] });
  }
  return found;
}

// Steps that wait for a person now, which acknowledging goes on with.
export const waiting = (steps: ShownStep[]): ShownStep[] => steps.filter((s) => s.state === 'left_to_person' || s.state === 'deferred');
