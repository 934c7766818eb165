// What needs attention, who is told, and whether the news arrived: none is ever lost silently.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, callWithTag, may } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { Loaded, NoRight, useResource } from '../api/resource';
import type { Channel, Delivery, NotifySettings, Settings } from '../api/schema';
import { counted } from '../format/size';
import { Act, More } from '../ui/act';
import { AlertList } from '../ui/alert_list';
import { Badge, Card, Dialog, Empty, Field, Notice, PageHead, ProblemNotice, Time, tell, type Tone } from '../ui/parts';
import { Table } from '../ui/table';
import { nameFault } from './critical_data_model';

export function Alerts(): JSX.Element {
  const alerts = useResource((abort) => call('alerts', { abort }), [], ['alerts', 'points', 'settings']);
  return (
    <div class="stack">
      <PageHead title="Alerts" lead="What needs attention until it is put right, and who is told about it." />
      <Card title={alerts.data?.alerts.length ? `Needs attention (${alerts.data.alerts.length})` : 'Needs attention'} plain>
        <Loaded from={alerts}>{({ alerts: all }) => (all.length ? <AlertList alerts={all} /> : <Empty what="Nothing needs attention" />)}</Loaded>
      </Card>
      {may('settings') ? <Notifications /> : <Card title="Notifications"><NoRight /></Card>}
    </div>
  );
}

interface Listed { channels: Channel[]; deliveries: Delivery[]; next: string | null }
const kDelivery: Record<Delivery['state'], { tone: Tone; text: string }> = {
  waiting: { tone: 'warn', text: 'waiting' }, delivered: { tone: 'ok', text: 'delivered' }, given_up: { tone: 'bad', text: 'given up' },
};

function Notifications(): JSX.Element {
  const list = useResource<Listed>((abort) => call('notifications', { abort }), [], ['alerts', 'settings', 'jobs']);
  const [editing, setEditing] = useState<string | null>(null);   // "": a new one
  const more = async (): Promise<void> => {
    const shown = list.data;
    if (!shown?.next) return;
    const next = await call('notifications', { query: { after: shown.next } });
    list.set({ ...next, deliveries: [...shown.deliveries, ...next.deliveries] });
  };
  return (
    <>
      <Card title="Who is told" plain aside={<button type="button" onClick={() => setEditing('')}>Add</button>}>
        <Loaded from={list}>
          {({ channels }) => (
            <Table caption="Who is told" rows={channels} rowKey={(c) => c.name} empty={<Empty what="Nobody is told">When a backup fails or does not run, only this console shows it. Add a mail address or a web address.</Empty>} columns={[
              { key: 'name', title: 'Name', head: true, cell: (c) => c.name },
              { key: 'to', title: 'To', cell: (c) => <span class="break">{c.to.length ? c.to.join(', ') : <span class="mono">{c.url}</span>}</span> },
              { key: 'on', title: 'On', wide: true, cell: (c) => c.on.join(', ') },
              { key: 'state', title: 'State', cell: (c) => <ChannelState channel={c} /> },
              { key: 'act', title: 'Actions', actions: true, cell: (c) => (
                <span class="row tight-row right">
                  <Act right="settings" look="quiet small" label={`Send a test to ${c.name}`} onAct={async () => { const sent = await call('testNotification', { params: { name: c.name } }); tell('info', `“${sent.subject}” is on its way; see the list below.`); list.reload(); }}>Test</Act>
                  <button type="button" class="quiet small" aria-label={`Change ${c.name}`} onClick={() => setEditing(c.name)}>Change</button>
                </span>
              ) },
            ]} />
          )}
        </Loaded>
      </Card>
      <Card title="What was sent" plain>
        <Loaded from={list}>
          {({ deliveries, next }) => (
            <>
              <Table caption="Notifications, newest first" rows={deliveries} rowKey={(d) => d.id} empty={<Empty what="Nothing was sent yet" />} columns={[
                { key: 'queued', title: 'Time', cell: (d) => <Time at={d.queued} style="spoken" /> },
                { key: 'subject', title: 'Subject', head: true, cell: (d) => <span class="break">{d.job ? <a href={`/jobs/${d.job}`}>{d.subject}</a> : d.subject}</span> },
                { key: 'channel', title: 'To', wide: true, cell: (d) => d.channel },
                { key: 'event', title: 'Event', wide: true, cell: (d) => d.event },
                { key: 'state', title: 'State', cell: (d) => <span><Badge tone={kDelivery[d.state].tone}>{kDelivery[d.state].text}</Badge>{d.state === 'waiting' && d.next && d.attempts > 0 ? <span class="muted small"> again {Date.parse(d.next) > Date.now() ? <Time at={d.next} style="ago" /> : 'soon'}</span> : null}</span> },
                { key: 'error', title: 'Last try', wide: true, cell: (d) => <span class="muted break">{d.error || (d.attempts ? counted(d.attempts, 'try', 'tries') : '')}{d.missing.length ? ` · not yet: ${d.missing.join(', ')}` : ''}</span> },
                { key: 'act', title: 'Actions', actions: true, cell: (d) => (d.state === 'given_up' && !d.acknowledged
                  ? <Act right="settings" look="quiet small" label={`I have seen “${d.subject}”`} onAct={async () => { await call('acknowledgeDelivery', { params: { delivery: d.id } }); list.reload(); }}>Seen</Act> : null) },
              ]} />
              {next ? <More onAct={more} /> : null}
            </>
          )}
        </Loaded>
      </Card>
      {editing !== null ? <ChannelDialog name={editing} onClose={() => setEditing(null)} onSaved={() => { setEditing(null); list.reload(); }} /> : null}
    </>
  );
}

function ChannelState({ channel: c }: { channel: Channel }): JSX.Element {
  if (c.given_up) return <Badge tone="bad">{c.given_up} given up</Badge>;
  if (c.waiting) return <span title={c.last_error ?? ''}><Badge tone="warn">{c.waiting} waiting</Badge></span>;
  if (c.last_delivered) return <span><Badge tone="ok">delivered</Badge> <Time at={c.last_delivered} style="ago" /></span>;
  return <Badge tone="off">nothing sent yet</Badge>;
}

const kEvents = ['failure', 'overdue', 'finding', 'success'] as const;

function ChannelDialog({ name: given, onClose, onSaved }: { name: string; onClose: () => void; onSaved: () => void }): JSX.Element {
  const loaded = useResource((abort) => callWithTag('settings', { abort }), []);
  return (
    <Loaded from={loaded}>
      {({ answer, tag }) => <ChannelForm name={given} settings={answer.settings} tag={tag} onClose={onClose} onSaved={onSaved} />}
    </Loaded>
  );
}

function ChannelForm({ name: given, settings, tag, onClose, onSaved }: { name: string; settings: Settings; tag: string; onClose: () => void; onSaved: () => void }): JSX.Element {
  const before: NotifySettings = settings.notify?.[given] ?? { url: 'smtps://', on: ['failure', 'overdue', 'finding'] };
  const [name, setName] = useState(given);
  const [channel, setChannel] = useState<NotifySettings>(before);
  const [problem, setProblem] = useState<Problem | null>(null);
  const mail = /^smtps?:/.test(channel.url);
  const fault = name === '' ? undefined : nameFault(name) ?? (given === '' && settings.notify?.[name] ? 'There is one of this name' : undefined);
  const put = async (value: NotifySettings | null): Promise<void> => {
    const notify = { ...settings.notify };
    if (value) notify[name] = value;
    else delete notify[name];
    try {
      await callWithTag('changeSettings', { body: { ...settings, notify }, ifMatch: tag });
      tell('ok', value ? 'Saved. Send a test to see that it arrives.' : 'Taken out.');
      onSaved();
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  const save = (): void => {
    if (name === '' || fault) return;
    const next: NotifySettings = { url: channel.url.trim(), on: channel.on ?? [] };
    if (mail && channel.to?.length) next.to = channel.to;
    if (mail && channel.from) next.from = channel.from;
    if (channel.password_file) next.password_file = channel.password_file;
    void put(next);
  };
  const change = (changes: Partial<NotifySettings>): void => setChannel({ ...channel, ...changes });
  return (
    <Dialog title={given === '' ? 'Tell somebody' : `Change ${given}`} onClose={onClose} onSubmit={save}
      actions={<>{given === '' ? null : <><button type="button" onClick={() => { void put(null); }}>Take out</button><span class="grow" /></>}<button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Save</button></>}>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {given === '' ? <Field label="Name" wrong={fault}>{(a) => <input {...a} required value={name} placeholder="mail" onInput={(e) => setName(e.currentTarget.value.trim())} />}</Field> : null}
      <Field label="Address" help={<>Mail: <code>smtps://user@mail.example.org</code>. A web address: <code>https://host/path</code>. Never with a password.</>}>{(a) => <input {...a} class="mono" required spellcheck={false} value={channel.url} onInput={(e) => change({ url: e.currentTarget.value })} />}</Field>
      {mail ? (
        <div class="fields">
          <Field label="To" help="Several with commas between them">{(a) => <input {...a} required value={(channel.to ?? []).join(', ')} onChange={(e) => change({ to: e.currentTarget.value.split(',').map((t) => t.trim()).filter(Boolean) })} />}</Field>
          <Field label="From" help="Empty: the first of the above">{(a) => <input {...a} value={channel.from ?? ''} onInput={(e) => change({ from: e.currentTarget.value.trim() })} />}</Field>
        </div>
      ) : null}
      <Field label="File with the secret" help={mail ? "On the server: the mail user's password" : 'On the server: the token'}>{(a) => <input {...a} class="mono" spellcheck={false} value={channel.password_file ?? ''} onInput={(e) => change({ password_file: e.currentTarget.value })} />}</Field>
      <fieldset class="row">
        <legend>On</legend>
        {kEvents.map((event) => <label class="check" key={event}><input type="checkbox" checked={(channel.on ?? []).includes(event)} onChange={(e) => change({ on: e.currentTarget.checked ? [...(channel.on ?? []), event] : (channel.on ?? []).filter((x) => x !== event) })} /> {event}</label>)}
      </fieldset>
      {(channel.on ?? []).includes('failure') && (channel.on ?? []).includes('overdue') ? null : <Notice tone="warn" what="Without failure and overdue a backup that does not run is not told." />}
    </Dialog>
  );
}
