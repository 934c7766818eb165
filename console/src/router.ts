// Addresses of the pages, as data: patterns of exact parts and `:name` parts; `*` at the end takes the rest (also "").
// The history API is used, so every page has an address that can be kept, sent and opened in a new tab.
import { signal } from '@preact/signals';

export type Params = Record<string, string>;
export interface PageProps { params: Params }   // of every page

export function match(pattern: string, path: string): Params | null {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  const params: Params = {};
  for (let i = 0; i < wanted.length; i += 1) {
    const want = wanted[i]!;
    if (want === '*') {
      const rest = given.slice(i).map(decoded);
      if (rest.includes(null)) return null;
      params['rest'] = rest.join('/');
      return params;
    }
    const have = given[i];
    if (have === undefined) return null;
    if (want.startsWith(':')) {
      const value = decoded(have);
      if (value === null) return null;
      params[want.slice(1)] = value;
    } else if (want !== have) {
      return null;
    }
  }
  return wanted.length === given.length ? params : null;
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

// "/points/" + encoded parts. Parts with "/" inside (paths in items) are given with `rest`.
export function address(pattern: string, params: Params = {}, query: Record<string, string | undefined> = {}): string {
  const path = pattern
    .split('/')
    .map((part) => {
      if (part === '*') return (params['rest'] ?? '').split('/').map(encodeURIComponent).join('/');
      return part.startsWith(':') ? encodeURIComponent(params[part.slice(1)] ?? '') : part;
    })
    .join('/')
    .replace(/(.)\/$/, '$1');
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(key, value);
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({ path: window.location.pathname, query: new URLSearchParams(window.location.search) });

export const place = signal<Place>({ path: '/', query: new URLSearchParams() });

// Asked before a page is left; false keeps it (unsaved changes).
let guard: (() => boolean) | null = null;
export function guardLeaving(ask: (() => boolean) | null): void {
  guard = ask;
}

let current = '';

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push' && guard && !guard()) return;
  window.history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
  current = to;
  place.value = here();
  if (how === 'push') window.scrollTo(0, 0);
}

// Changes the query of this page (filters, open tabs) without a new entry in the history.
export function setQuery(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(window.location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  go(`${window.location.pathname}${text === '' ? '' : `?${text}`}`, 'replace');
}

// Follows the browser's buttons and plain clicks on links to pages of the console.
export function startRouter(): void {
  place.value = here();
  current = window.location.pathname + window.location.search;
  window.addEventListener('popstate', () => {
    if (guard && !guard()) {
      window.history.pushState(null, '', current);
      return;
    }
    current = window.location.pathname + window.location.search;
    place.value = here();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== window.location.origin) return;
    if (link.pathname.startsWith('/api/') || link.hash !== '') return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
