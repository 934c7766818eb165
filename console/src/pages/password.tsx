// One's own password. It ends all sessions of the user, so the next thing is signing in again.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, session, signedIn } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Dialog, Field, ProblemNotice, tell } from '../ui/parts';

export const kShortest = 12;   // docs/service.md, "Passwords"

export function passwordFault(password: string, again: string, user: string): string | undefined {
  if (password.length > 0 && password.length < kShortest) return `At least ${kShortest} characters`;
  if (password !== '' && password.toLowerCase() === user.toLowerCase()) return 'Not the name of the user';
  if (again !== '' && password !== again) return 'The two are not the same';
  return undefined;
}

export function ChangePassword({ onClose }: { onClose: () => void }): JSX.Element {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const fault = passwordFault(password, again, session.value?.who ?? '');
  const save = async (): Promise<void> => {
    if (fault || password === '' || password !== again) return;
    setProblem(null);
    try {
      await call('changePassword', { body: { current, password } });
      session.value = null;
      signedIn.value = 'no';
      tell('ok', 'The password is changed. Sign in with the new one.');
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Dialog title="Change password" onClose={onClose} onSubmit={() => { void save(); }}
      actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Change password</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <Field label="Password now">{(a) => <input {...a} type="password" autocomplete="current-password" required value={current} onInput={(e) => setCurrent(e.currentTarget.value)} />}</Field>
      <Field label="New password" help={`At least ${kShortest} characters. All your sessions end, this one too.`}>
        {(a) => <input {...a} type="password" autocomplete="new-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />}
      </Field>
      <Field label="New password again" wrong={fault}>
        {(a) => <input {...a} type="password" autocomplete="new-password" required value={again} onInput={(e) => setAgain(e.currentTarget.value)} />}
      </Field>
    </Dialog>
  );
}
