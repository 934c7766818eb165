// Who may sign in, and the tokens of programs.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, session } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, useResource } from '../api/resource';
import type { Token, User } from '../api/schema';
import { Act, copyText } from '../ui/act';
import { Badge, Card, Dialog, Empty, Field, Notice, PageHead, ProblemNotice, Time, tell } from '../ui/parts';
import { Table } from '../ui/table';
import { kRoles } from '../words';
import { kShortest, passwordFault } from './password';

type Role = User['role'];
const kAll = Object.keys(kRoles) as Role[];

type Asked = { what: 'add' } | { what: 'change' | 'remove'; user: User } | { what: 'token' } | { what: 'drop'; token: Token } | { what: 'shown'; text: string };

export function Users(): JSX.Element {
  const users = useResource((abort) => call('users', { abort }), []);
  const tokens = useResource((abort) => call('tokens', { abort }), []);
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = (): void => setAsked(null);
  const done = (): void => { close(); users.reload(); tokens.reload(); };
  return (
    <div class="stack">
      <PageHead title="Users" lead="Each role may what the one before it may, and more. Every change is in the audit log.">
        <button type="button" class="primary" onClick={() => setAsked({ what: 'add' })}>Add a user</button>
      </PageHead>
      <Card title="Users" plain>
        <Loaded from={users}>
          {({ users: all }) => (
            <Table caption="Users" rows={all} rowKey={(u) => u.name} columns={[
              { key: 'name', title: 'Name', head: true, cell: (u) => <>{u.name}{u.name === session.value?.who ? <span class="muted"> (you)</span> : null}</>, sort: (u) => u.name },
              { key: 'role', title: 'Role', cell: (u) => <span title={kRoles[u.role]}>{u.role}</span>, sort: (u) => kAll.indexOf(u.role) },
              { key: 'created', title: 'Made', wide: true, cell: (u) => <Time at={u.created} />, sort: (u) => u.created },
              { key: 'password', title: 'Password of', wide: true, cell: (u) => <Time at={u.password_changed} />, sort: (u) => u.password_changed },
              { key: 'act', title: 'Actions', actions: true, cell: (u) => (
                <span class="row tight-row right">
                  <button type="button" class="quiet small" aria-label={`Change ${u.name}`} onClick={() => setAsked({ what: 'change', user: u })}>Change</button>
                  <button type="button" class="quiet small" aria-label={`Remove ${u.name}`} onClick={() => setAsked({ what: 'remove', user: u })}>Remove</button>
                </span>
              ) },
            ]} />
          )}
        </Loaded>
      </Card>
      <Card title="API tokens" plain aside={<button type="button" onClick={() => setAsked({ what: 'token' })}>Make a token</button>} footer="A token is the machine's: it stays when the user goes who made it.">
        <Loaded from={tokens}>
          {({ tokens: all }) => (
            <Table caption="API tokens" rows={all} rowKey={(t) => t.id} empty={<Empty what="There is no token">A program, such as Prometheus for /metrics, signs in with one.</Empty>} columns={[
              { key: 'label', title: 'Label', head: true, cell: (t) => t.label },
              { key: 'role', title: 'Role', cell: (t) => t.role },
              { key: 'expires', title: 'Ends', cell: (t) => (t.expired ? <Badge tone="bad">expired</Badge> : <Time at={t.expires} />) },
              { key: 'made', title: 'Made', wide: true, cell: (t) => <>by {t.made_by}, <Time at={t.created} /></> },
              { key: 'act', title: 'Actions', actions: true, cell: (t) => <button type="button" class="quiet small" aria-label={`Remove token ${t.label}`} onClick={() => setAsked({ what: 'drop', token: t })}>Remove</button> },
            ]} />
          )}
        </Loaded>
      </Card>
      <Card title="Roles"><dl class="facts">{kAll.map((r) => [<dt key={r}>{r}</dt>, <dd key={`${r}-d`}>{kRoles[r]}</dd>])}</dl></Card>
      {asked?.what === 'add' ? <UserDialog user={null} onClose={close} onDone={done} /> : null}
      {asked?.what === 'change' ? <UserDialog user={asked.user} onClose={close} onDone={done} /> : null}
      {asked?.what === 'remove' ? <Confirm title={`Remove ${asked.user.name}`} text={`${asked.user.name} is signed out everywhere and cannot sign in again. Tokens stay.`} action="Remove" onClose={close} onYes={async () => { await call('removeUser', { params: { name: asked.user.name } }); done(); }} /> : null}
      {asked?.what === 'drop' ? <Confirm title={`Remove token ${asked.token.label}`} text="Programs that use it are refused from now on." action="Remove" onClose={close} onYes={async () => { await call('removeToken', { params: { token: asked.token.id } }); done(); }} /> : null}
      {asked?.what === 'token' ? <TokenDialog onClose={close} onMade={(text) => { setAsked({ what: 'shown', text }); tokens.reload(); }} /> : null}
      {asked?.what === 'shown' ? (
        <Dialog title="The new token" fixed onClose={close} actions={<><button type="button" onClick={() => { void copyText(asked.text); }}>Copy</button><button type="button" class="primary" onClick={close}>I have kept it</button></>}>
          <Notice tone="warn" what="It is shown now and never again." hint="Only its hash is kept." />
          <p><code class="token">{asked.text}</code></p>
        </Dialog>
      ) : null}
    </div>
  );
}

function RoleField({ role, onChange }: { role: Role; onChange: (role: Role) => void }): JSX.Element {
  return (
    <fieldset class="stack tight">
      <legend>Role</legend>
      {kAll.map((r) => <label class="check" key={r}><input type="radio" name="role" checked={role === r} onChange={() => onChange(r)} /><span><strong>{r}</strong> <span class="muted">{kRoles[r]}</span></span></label>)}
    </fieldset>
  );
}

function UserDialog({ user, onClose, onDone }: { user: User | null; onClose: () => void; onDone: () => void }): JSX.Element {
  const [name, setName] = useState(user?.name ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const fault = passwordFault(password, again, name);
  const save = async (): Promise<void> => {
    if (fault || password !== again || (!user && password === '')) return;
    try {
      if (user) await call('changeUser', { params: { name: user.name }, body: { ...(role !== user.role ? { role } : {}), ...(password ? { password } : {}) } });
      else await call('addUser', { body: { name, role, password } });
      tell('ok', user ? 'Saved.' : `${name} can sign in now.`);
      onDone();
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Dialog title={user ? `Change ${user.name}` : 'Add a user'} onClose={onClose} onSubmit={() => { void save(); }} actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">{user ? 'Save' : 'Add'}</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {user ? null : <Field label="Name">{(a) => <input {...a} required maxLength={64} autocomplete="off" autocapitalize="none" spellcheck={false} value={name} onInput={(e) => setName(e.currentTarget.value.trim())} />}</Field>}
      <RoleField role={role} onChange={setRole} />
      <div class="fields">
        <Field label={user ? 'New password' : 'Password'} help={user ? `Empty: it stays. A new one ends the user's sessions. At least ${kShortest} characters.` : `At least ${kShortest} characters`}>{(a) => <input {...a} type="password" required={!user} autocomplete="new-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} />}</Field>
        <Field label="Again" wrong={fault}>{(a) => <input {...a} type="password" required={!user || password !== ''} autocomplete="new-password" value={again} onInput={(e) => setAgain(e.currentTarget.value)} />}</Field>
      </div>
    </Dialog>
  );
}

function TokenDialog({ onClose, onMade }: { onClose: () => void; onMade: (text: string) => void }): JSX.Element {
  const inAYear = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
  const [label, setLabel] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [ends, setEnds] = useState(inAYear);
  const [problem, setProblem] = useState<Problem | null>(null);
  const save = async (): Promise<void> => {
    try {
      const made = await call('addToken', { body: { label, role, expires: `${ends}T00:00:00Z` } });
      onMade(made.text);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <Dialog title="Make a token" onClose={onClose} onSubmit={() => { void save(); }} actions={<><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Make</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <Field label="Label" help="Which program uses it">{(a) => <input {...a} required maxLength={100} value={label} placeholder="prometheus" onInput={(e) => setLabel(e.currentTarget.value)} />}</Field>
      <RoleField role={role} onChange={setRole} />
      <Field label="Ends on" help="At midnight, UTC">{(a) => <input {...a} type="date" required value={ends} onInput={(e) => setEnds(e.currentTarget.value)} />}</Field>
    </Dialog>
  );
}

function Confirm({ title, text, action, onClose, onYes }: { title: string; text: string; action: string; onClose: () => void; onYes: () => Promise<void> }): JSX.Element {
  return (
    <Dialog title={title} onClose={onClose} actions={<><button type="button" onClick={onClose}>Cancel</button><Act look="danger" onAct={onYes}>{action}</Act></>}>
      <p>{text}</p>
    </Dialog>
  );
}
