// Something that a page shows: being loaded, there, there but no longer fresh, or not to be had. Asked for again when the service says
// that it changed, and when the service is back.
import type { ComponentChildren, JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useSignalEffect } from '@preact/signals';
import { local } from '../format/time';
import { Loading, Notice, ProblemNotice, sentence } from '../ui/parts';
import { session } from './client';
import { changes, type Topic } from './live';
import { problemOf, type Problem } from './problem';

export interface Resource<T> {
  data: T | null;
  problem: Problem | null;
  at: Date | null; // when `data` came
  reload: () => void;
  set: (data: T) => void;
}

// `load` is called anew when one of `inputs` changes (old data goes) and on news of `topics` (old data stays meanwhile).
export function useResource<T>(load: (abort: AbortSignal) => Promise<T>, inputs: readonly unknown[], topics: readonly Topic[] = []): Resource<T> {
  const [state, setState] = useState<{ data: T | null; problem: Problem | null; at: Date | null }>({ data: null, problem: null, at: null });
  const running = useRef<AbortController | null>(null);
  const loader = useRef(load);
  loader.current = load;

  const fetchNow = useCallback((fresh: boolean) => {
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    if (fresh) setState({ data: null, problem: null, at: null });
    loader.current(abort.signal).then(
      (data) => { if (!abort.signal.aborted) setState({ data, problem: null, at: new Date() }); },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((old) => ({ ...old, problem: problemOf(error) }));
      },
    );
  }, []);

  const reload = useCallback(() => fetchNow(false), [fetchNow]);
  const set = useCallback((data: T) => setState({ data, problem: null, at: new Date() }), []);
  useEffect(() => { fetchNow(true); return () => running.current?.abort(); }, inputs);

  // Several pieces of news at once make one request.
  const first = useRef(true);
  const soon = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useSignalEffect(() => {
    for (const topic of topics) void changes[topic].value;
    void session.value; // after signing in again
    if (first.current) { first.current = false; return; }
    clearTimeout(soon.current);
    soon.current = setTimeout(reload, 200);
  });
  useEffect(() => () => clearTimeout(soon.current), []);
  return { ...state, reload, set };
}

export function Loaded<T>({ from, lines, children }: { from: Resource<T>; lines?: number; children: (data: T) => ComponentChildren }): JSX.Element {
  if (from.data === null) {
    if (from.problem?.status === 403) return <NoRight problem={from.problem} />;
    return from.problem ? <ProblemNotice problem={from.problem} again={from.reload} /> : <Loading lines={lines ?? 4} />;
  }
  return (
    <>
      {from.problem ? (
        <Notice tone="warn" what={`Not fresh: this is as of ${from.at ? local(from.at, true) : 'earlier'}. ${sentence(from.problem.title)}`}
          act={<button type="button" onClick={from.reload}>Try again</button>} />
      ) : null}
      {children(from.data)}
    </>
  );
}

export function NoRight({ problem }: { problem?: Problem }): JSX.Element {
  const role = session.value?.role;
  return (
    <Notice tone="info" what={role ? `Your role (${role}) has no right for this.` : 'You have no right for this.'}
      hint={sentence(problem?.hint || 'An administrator can give you another role on the page Users')}>
      {problem?.detail ? sentence(problem.detail) : null}
    </Notice>
  );
}
