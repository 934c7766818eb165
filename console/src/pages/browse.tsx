// What lies inside an item of a recovery point, folder by folder; single files can be downloaded.
import type { JSX } from 'preact';
import { call, may, session, urlOf } from '../api/client';
import { Loaded, useResource } from '../api/resource';
import type { Entry } from '../api/schema';
import { place, type PageProps } from '../router';
import { browseAddress, modeText, nameOf } from './browse_names';
import { Act } from '../ui/act';
import { Icon, type IconName } from '../ui/icons';
import { Bytes, Empty, PageHead, Time, shortId } from '../ui/parts';
import { Table } from '../ui/table';

interface Listing { entries: Entry[]; next: string | null; fingerprint: string; path: string }

const kIcon: Partial<Record<Entry['type'], IconName>> = { directory: 'folder', symlink: 'link', hard_link: 'link' };

export function Browse({ params }: PageProps): JSX.Element {
  const id = params['id'] ?? '';
  const item = place.value.query.get('item') ?? '', path = place.value.query.get('path') ?? '';
  const files = useResource<Listing>((abort) => call('files', { abort, params: { id, item }, query: { path, limit: 500 } }), [id, item, path]);
  const at = (p: string): string => browseAddress(id, item, p);
  const segments = path === '' ? [] : path.split('/');
  const below = (e: Entry): string => (path === '' ? e.segment : `${path}/${e.segment}`);
  const more = async (): Promise<void> => {
    const shown = files.data;
    if (!shown?.next) return;
    const next = await call('files', { params: { id, item }, query: { path, limit: 500, after: shown.next } });
    files.set({ ...next, entries: [...shown.entries, ...next.entries] });
  };
  const single = segments.length === 0 && files.data?.entries.length === 1 && files.data.entries[0]?.name === '';
  return (
    <div class="stack">
      <PageHead title={segments.length ? nameOf(segments[segments.length - 1]!) : item}
        crumbs={[{ text: 'Recovery points', href: '/points' }, { text: shortId(id), href: `/points/${id}` }, ...(segments.length ? [{ text: item, href: at('') }] : []),
          ...segments.slice(0, -1).map((s, i) => ({ text: nameOf(s), href: at(segments.slice(0, i + 1).join('/')) }))]} />
      <section class="card" aria-label="Contents">
        <Loaded from={files} lines={8}>
          {(data) => (
            <>
              <Table caption="Contents of this folder" rows={data.entries} rowKey={(e) => e.segment || e.name} empty={<Empty what="This folder is empty" />} columns={[
                { key: 'name', title: 'Name', head: true, sort: (e) => `${e.type === 'directory' ? 0 : 1}${e.name}`, cell: (e) => (
                  <span class="file"><Icon name={kIcon[e.type] ?? 'file'} />
                    {e.type === 'directory' && !single ? <a href={at(below(e))}>{e.name}</a> : <span class="break">{e.name || item}</span>}
                    {e.target ? <span class="muted break"> → {e.target}</span> : null}
                  </span>
                ) },
                { key: 'size', title: 'Size', number: true, sort: (e) => e.size, cell: (e) => (e.type === 'file' ? <Bytes value={e.size} /> : null) },
                { key: 'modified', title: 'Changed', wide: true, sort: (e) => e.modified, cell: (e) => <Time at={e.modified} /> },
                { key: 'mode', title: 'Mode', wide: true, cell: (e) => <span class="mono muted" title={`0${(e.mode & 0o7777).toString(8)}`}>{modeText(e.type, e.mode)}</span> },
                { key: 'owner', title: 'Owner', wide: true, cell: (e) => <span class="muted">{e.uid}:{e.gid}</span> },
                { key: 'get', title: 'Download', actions: true, cell: (e) => (e.type === 'file' || e.type === 'hard_link' ? <Download href={urlOf('/points/{id}/items/{item}/content', { id, item }, { path: single ? '' : below(e) })} name={e.name || item} /> : null) },
              ]} />
              <div class="row apart foot">
                <span class="muted">fingerprint <code title={data.fingerprint}>{data.fingerprint.slice(0, 16)}</code></span>
                {data.next ? <Act onAct={more}>Show more</Act> : null}
              </div>
            </>
          )}
        </Loaded>
      </section>
    </div>
  );
}

function Download({ href, name }: { href: string; name: string }): JSX.Element {
  if (may('recover')) return <a class="button quiet small" href={href} download aria-label={`Download ${name}`}><Icon name="download" />Download</a>;
  return <button type="button" class="quiet small" aria-disabled="true" title={`Your role (${session.value?.role}) has no right for this`}><Icon name="download" />Download</button>;
}
