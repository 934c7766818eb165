// The frame: who is signed in, navigation, and the page that the address names.
import type { ComponentType, JSX } from 'preact';
import { Component } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { effect, signal } from '@preact/signals';
import { call, may, session, signOut, signedIn, whoAmI, type Right } from './api/client';
import { active, changes, connection } from './api/live';
import { problemOf, type Problem } from './api/problem';
import { NoRight } from './api/resource';
import { match, place, type PageProps } from './router';
import { applyTheme, theme, type Theme } from './theme';
import { counted } from './format/size';
import { Icon, type IconName } from './ui/icons';
import { Empty, Loading, Notice, PageHead, ProblemNotice, Toasts, tellProblem } from './ui/parts';
import { SignInAgain, Welcome } from './pages/sign_in';
import { ChangePassword } from './pages/password';
import { Home } from './pages/home';
import { CriticalData } from './pages/critical_data';
import { Points } from './pages/points';
import { PointPage } from './pages/point';
import { Browse } from './pages/browse';
import { Compare } from './pages/compare';
import { Wizard } from './pages/wizard';
import { Recovery } from './pages/recovery';
import { RunBook } from './pages/runbook';
import { PackagePage } from './pages/package';
import { KitPage } from './pages/kit';
import { Jobs } from './pages/jobs';
import { JobPage } from './pages/job';
import { Growth } from './pages/growth';
import { Alerts } from './pages/alerts';
import { Users } from './pages/users';
import { Audit } from './pages/audit';

interface Page { pattern: string; page: ComponentType<PageProps>; right?: Right; under?: string }

const kPages: Page[] = [
  { pattern: '/', page: Home },
  { pattern: '/critical-data-backup', page: CriticalData },
  { pattern: '/points', page: Points },
  { pattern: '/points/:id', page: PointPage, under: '/points' },
  { pattern: '/points/:id/browse', page: Browse, under: '/points' },
  { pattern: '/compare/:a/:b', page: Compare, under: '/points' },
  { pattern: '/back-up-or-restore', page: Wizard },
  { pattern: '/recovery', page: Recovery },
  { pattern: '/recovery/run-book', page: RunBook, under: '/recovery' },
  { pattern: '/installation-package', page: PackagePage },
  { pattern: '/kit', page: KitPage },
  { pattern: '/jobs', page: Jobs },
  { pattern: '/jobs/:id', page: JobPage, under: '/jobs' },
  { pattern: '/growth', page: Growth },
  { pattern: '/alerts', page: Alerts },
  { pattern: '/users', page: Users, right: 'users' },
  { pattern: '/audit', page: Audit, right: 'audit' },
];

const kMenu: { title: string; links: { href: string; text: string; icon: IconName; right?: Right }[] }[] = [
  { title: '', links: [{ href: '/', text: 'Home', icon: 'home' }] },
  { title: 'Protect', links: [
    { href: '/critical-data-backup', text: 'Critical Data Backup', icon: 'shield' },
    { href: '/points', text: 'Recovery points', icon: 'points' },
    { href: '/back-up-or-restore', text: 'Back up or restore', icon: 'wizard' },
  ] },
  { title: 'Recover', links: [
    { href: '/recovery', text: 'Recovery', icon: 'recover' },
    { href: '/installation-package', text: 'Installation package', icon: 'package' },
    { href: '/kit', text: 'Kit', icon: 'kit' },
  ] },
  { title: 'Watch', links: [
    { href: '/jobs', text: 'Jobs', icon: 'jobs' },
    { href: '/growth', text: 'Growth', icon: 'growth' },
    { href: '/alerts', text: 'Alerts', icon: 'bell' },
  ] },
  { title: 'Administer', links: [
    { href: '/users', text: 'Users', icon: 'users', right: 'users' },
    { href: '/audit', text: 'Audit', icon: 'audit', right: 'audit' },
  ] },
];

// What the bar and the menu show of the protected server; pages that load the status put it here.
export const server = signal<{ title: string; sample: boolean; attention: number } | null>(null);

async function loadServer(): Promise<void> {
  const [{ title, sample }, { alerts }] = await Promise.all([call('system'), call('alerts')]);
  server.value = { title, sample, attention: alerts.length };
}

export function App(): JSX.Element {
  const [problem, setProblem] = useState<Problem | null>(null);
  const start = (): void => {
    setProblem(null);
    whoAmI().catch((error: unknown) => setProblem(problemOf(error)));
  };
  useEffect(start, []);
  if (problem) return <main class="welcome"><div class="stack"><h1>Holdfast</h1><ProblemNotice problem={problem} again={start} /></div></main>;
  if (signedIn.value === 'unknown') return <main class="welcome"><Loading lines={3} /></main>;
  if (signedIn.value === 'no') return <><Welcome /><Toasts /></>;
  return <Frame />;
}

function Frame(): JSX.Element {
  const main = useRef<HTMLElement>(null);
  const path = place.value.path;
  const shown = useRef(path);
  useEffect(() => effect(() => {
    void changes.alerts.value;
    void changes.settings.value;
    if (signedIn.value === 'yes') loadServer().catch(() => undefined);   // the page itself tells what is wrong
  }), []);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the content</a>
      <TopBar />
      <div class="frame">
        <div class="side"><Menu label="Pages" /></div>
        <main id="content" ref={main} tabIndex={-1}>
          {connection.value === 'lost' ? <div class="no-print lost"><Notice tone="warn" what="The connection to the service is lost; it is being tried again." hint="What is shown may be old. Jobs go on without this page." /></div> : null}
          <Caught key={path}><Current path={path} /></Caught>
        </main>
      </div>
      {signedIn.value === 'ended' ? <SignInAgain /> : null}
      <Toasts />
    </>
  );
}

function Current({ path }: { path: string }): JSX.Element {
  for (const { pattern, page: Shown, right } of kPages) {
    const params = match(pattern, path);
    if (!params) continue;
    if (right && !may(right)) return <><PageHead title="No right for this page" /><NoRight /></>;
    return <Shown key={path} params={params} />;
  }
  return <><PageHead title="There is no such page" /><Empty what={path}><a href="/">Home</a> shows whether this server would come back.</Empty></>;
}

// A page that fails takes down neither the menu nor the other pages.
class Caught extends Component<{ children: JSX.Element }, { problem: Problem | null }> {
  override state: { problem: Problem | null } = { problem: null };
  static override getDerivedStateFromError(error: unknown): { problem: Problem } { return { problem: problemOf(error) }; }
  override render(): JSX.Element {
    return this.state.problem ? <ProblemNotice problem={this.state.problem} again={() => this.setState({ problem: null })} /> : this.props.children;
  }
}

function Menu({ label, onPick }: { label: string; onPick?: () => void }): JSX.Element {
  const path = place.value.path;
  const under = kPages.find((p) => match(p.pattern, path));
  const current = under?.under ?? under?.pattern;
  return (
    <nav aria-label={label} onClick={onPick}>
      {kMenu.map(({ title, links }) => {
        const shown = links.filter((l) => !l.right || may(l.right));
        return shown.length === 0 ? null : (
          <div key={title}>
            {title ? <h2>{title}</h2> : null}
            <ul>
              {shown.map((l) => (
                <li key={l.href}>
                  <a href={l.href} aria-current={current === l.href ? 'page' : undefined}>
                    <Icon name={l.icon} />{l.text}
                    {l.href === '/alerts' && server.value && server.value.attention > 0 ? <span class="count">{server.value.attention}<span class="hidden-text"> need attention</span></span> : null}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

function TopBar(): JSX.Element {
  const [drawer, setDrawer] = useState(false);
  const running = active();
  return (
    <header class="topbar">
      <button type="button" class="icon menu-button" aria-label="Pages" aria-expanded={drawer} onClick={() => setDrawer(true)}><Icon name="menu" /></button>
      <a class="brand" href="/" aria-label="Holdfast, home"><img src="/icon.svg" alt="" /><span>Holdfast</span></a>
      <div class="server grow">
        {server.value ? <><strong>{server.value.title}</strong>{server.value.sample && !/sample/i.test(server.value.title) ? <span class="tag">sample</span> : null}</> : null}
      </div>
      {running.length > 0 ? (
        <a class="live" href={running.length === 1 ? `/jobs/${running[0]!.id}` : '/jobs'} title={running.map((j) => j.does).join('\n')}>
          <Icon name="running" /><span class="hide-narrow">{counted(running.length, 'job')} running</span><span class="hidden-text">Jobs under way</span>
        </a>
      ) : null}
      <Account />
      {drawer ? <Drawer onClose={() => setDrawer(false)} /> : null}
    </header>
  );
}

function Drawer({ onClose }: { onClose: () => void }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { ref.current?.showModal(); }, []);
  return (
    <dialog class="drawer" ref={ref} aria-label="Pages" onCancel={onClose} onClick={(event) => { if (event.target === ref.current) onClose(); }}>
      <div class="row apart"><span class="brand"><img src="/icon.svg" alt="" /> Holdfast</span><button type="button" class="icon" aria-label="Close" onClick={onClose}><Icon name="close" /></button></div>
      <Menu label="All pages" onPick={onClose} />
    </dialog>
  );
}

const kThemes: { value: Theme; text: string; icon: IconName }[] = [
  { value: 'system', text: 'As the system', icon: 'auto' }, { value: 'light', text: 'Light', icon: 'sun' }, { value: 'dark', text: 'Dark', icon: 'moon' },
];

function Account(): JSX.Element {
  const [password, setPassword] = useState(false);
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const away = (event: Event): void => {
      if (box.current?.open && !box.current.contains(event.target as Node)) box.current.open = false;
    };
    document.addEventListener('click', away);
    document.addEventListener('focusin', away);
    return () => { document.removeEventListener('click', away); document.removeEventListener('focusin', away); };
  }, []);
  const close = (): void => { if (box.current) box.current.open = false; };
  const me = session.value;
  return (
    <>
      <details class="account" ref={box} onKeyDown={(event) => { if (event.key === 'Escape') { close(); box.current?.querySelector('summary')?.focus(); } }}>
        <summary><Icon name="person" /><span class="hide-narrow">{me?.who}</span><span class="hidden-text"> Account and display</span></summary>
        <div class="popup">
          <p><strong>{me?.who}</strong><br /><span class="muted">{me?.role}</span></p>
          <fieldset>
            <legend>Display</legend>
            {kThemes.map((t) => (
              <label class="check" key={t.value}>
                <input type="radio" name="theme" checked={theme.value === t.value} onChange={() => applyTheme(t.value)} /><Icon name={t.icon} /> {t.text}
              </label>
            ))}
          </fieldset>
          <button type="button" onClick={() => { close(); setPassword(true); }}>Change password</button>
          <button type="button" onClick={() => { signOut().catch((error: unknown) => tellProblem(problemOf(error))); }}>Sign out</button>
        </div>
      </details>
      {password ? <ChangePassword onClose={() => setPassword(false)} /> : null}
    </>
  );
}
