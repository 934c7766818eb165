// One way to the service: operations by the names of its description, answers typed by it, problems as exceptions (ApiError).
import { signal } from '@preact/signals';
import { ApiError, problemFrom, unreachable } from './problem';
import { operations, type Operations, type Session } from './schema';

export type Right = Session['rights'][number];
type Name = keyof Operations;
type Query = Record<string, string | number | boolean | undefined>;

export interface CallOptions<N extends Name> {
  params?: Record<string, string | number>;
  query?: Query;
  body?: Operations[N]['body'];
  ifMatch?: string;
  abort?: AbortSignal;
}

// Who is signed in. `ended`: somebody was, until the session ended; the page stays and asks for the password again.
export const session = signal<Session | null>(null);
export const signedIn = signal<'unknown' | 'no' | 'yes' | 'ended'>('unknown');

export const may = (right: Right): boolean => session.value?.rights.includes(right) ?? false;

const kBase = '/api/v1';

export function urlOf(path: string, params: Record<string, string | number> = {}, query: Query = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`no value for {${name}} of ${path}`);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return `${kBase}${filled}${text === '' ? '' : `?${text}`}`;
}

export async function callWithTag<N extends Name>(name: N, options: CallOptions<N> = {}): Promise<{ answer: Operations[N]['answer']; tag: string }> {
  const { method, path } = operations[name];
  const reads = method === 'GET';
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const csrf = session.value?.csrf;
  if (!reads && csrf) headers['X-Holdfast-CSRF'] = csrf;
  if (options.ifMatch) headers['If-Match'] = options.ifMatch;
  const request: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (options.body !== undefined) request.body = JSON.stringify(options.body);
  if (options.abort) request.signal = options.abort;
  let response: Response;
  try {
    response = await fetch(urlOf(path, options.params, options.query), request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(unreachable(reads));
  }
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    if (response.status === 401 && name !== 'signIn' && name !== 'changePassword') signedIn.value = session.value ? 'ended' : 'no';
    throw new ApiError(problemFrom(response.status, body, response.headers.get('Retry-After')));
  }
  const tag = response.headers.get('ETag') ?? '';
  if (response.status === 204) return { answer: null as Operations[N]['answer'], tag };
  const json = (response.headers.get('Content-Type') ?? '').includes('json');
  try {
    return { answer: (json ? await response.json() : await response.text()) as Operations[N]['answer'], tag };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(unreachable(reads));
  }
}

export async function call<N extends Name>(name: N, options: CallOptions<N> = {}): Promise<Operations[N]['answer']> {
  return (await callWithTag(name, options)).answer;
}

export async function whoAmI(): Promise<void> {
  try {
    session.value = await call('whoAmI');
    signedIn.value = 'yes';
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== 401) throw error;
  }
}

export async function signIn(user: string, password: string): Promise<void> {
  session.value = await call('signIn', { body: { user, password } });
  signedIn.value = 'yes';
}

export async function signOut(): Promise<void> {
  await call('signOut');
  session.value = null;
  signedIn.value = 'no';
}
