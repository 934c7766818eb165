// Signing in, at the start and again when a session has ended while a page is open (the page stays behind the question).
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { session, signIn, signedIn, signOut } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { humanSeconds } from '../format/time';
import { Dialog, Field, Notice, sentence } from '../ui/parts';

function useSignIn(): { problem: Problem | null; busy: boolean; wait: number; submit: (user: string, password: string) => void } {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [wait, setWait] = useState(0);
  useEffect(() => {
    if (wait <= 0) return undefined;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);
  const submit = (user: string, password: string): void => {
    if (busy || wait > 0) return;
    setBusy(true);
    setProblem(null);
    signIn(user, password)
      .catch((error: unknown) => {
        const said = problemOf(error);
        setProblem(said);
        setWait(said.retryAfter ?? 0);
      })
      .finally(() => setBusy(false));
  };
  return { problem, busy, wait, submit };
}

function SignInFields({ user, fixedUser, state }: { user: string; fixedUser: boolean; state: ReturnType<typeof useSignIn> }): JSX.Element {
  const password = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => { (fixedUser ? password : name).current?.focus(); }, []);
  useEffect(() => { if (state.problem) password.current?.select(); }, [state.problem]);
  return (
    <>
      {state.problem ? (
        <div role="alert">{state.problem.status === 401 ? <Notice tone="bad" what="Name or password is wrong." /> : <Notice tone="bad" what={sentence(state.problem.detail || state.problem.title)} hint={sentence(state.problem.hint) || undefined} />}</div>
      ) : null}
      {state.wait > 0 ? <p role="timer" class="muted">The next try is possible in {humanSeconds(state.wait)}.</p> : null}
      <Field label="User">{(a) => <input {...a} ref={name} name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required defaultValue={user} readOnly={fixedUser} maxLength={256} />}</Field>
      <Field label="Password">{(a) => <input {...a} ref={password} name="password" type="password" autocomplete="current-password" required maxLength={1024} />}</Field>
    </>
  );
}

const read = (form: HTMLFormElement): [string, string] => {
  const data = new FormData(form);
  return [String(data.get('user') ?? ''), String(data.get('password') ?? '')];
};

export function Welcome(): JSX.Element {
  const state = useSignIn();
  useEffect(() => { document.title = 'Sign in · Holdfast'; }, []);
  return (
    <main class="welcome">
      <form class="card" onSubmit={(event) => { event.preventDefault(); state.submit(...read(event.currentTarget)); }}>
        <div class="body stack">
          <h1 class="brand"><img src="/icon.svg" alt="" /> Holdfast</h1>
          <SignInFields user="" fixedUser={false} state={state} />
          <button type="submit" class="primary" aria-disabled={state.busy || state.wait > 0 ? 'true' : undefined}>{state.busy ? 'Signing in' : 'Sign in'}</button>
          <details><summary>No user yet, or the password is lost</summary>
            <p class="muted">On the server itself, as its administrator: <code>holdfast user add NAME --role administrator</code> makes a user, <code>holdfast user passwd NAME</code> gives a new password and ends waiting.</p>
          </details>
        </div>
      </form>
    </main>
  );
}

export function SignInAgain(): JSX.Element {
  const state = useSignIn();
  const form = useRef<HTMLFormElement>(null);
  const who = session.value?.who ?? '';
  const leave = (): void => {
    void signOut().catch(() => undefined);   // it has ended already
    session.value = null;
    signedIn.value = 'no';
  };
  return (
    <Dialog title="Your session has ended" onClose={leave} fixed>
      <form ref={form} class="stack tight" onSubmit={(event) => { event.preventDefault(); state.submit(...read(event.currentTarget)); }}>
        <p class="muted">Sign in again to go on where you were: this page is kept. Jobs are not touched by it.</p>
        <SignInFields user={who} fixedUser state={state} />
        <div class="row">
          <button type="submit" class="primary" aria-disabled={state.busy || state.wait > 0 ? 'true' : undefined}>{state.busy ? 'Signing in' : 'Sign in'}</button>
          <button type="button" onClick={leave}>Leave the page</button>
        </div>
      </form>
    </Dialog>
  );
}
