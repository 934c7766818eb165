import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, callWithTag, may, session, signedIn, urlOf } from './client';
import { ApiError } from './problem';
import { operations, type Session } from './schema';

const me: Session = { who: 'anna', kind: 'session', role: 'operator', rights: ['see', 'operate'], csrf: 'abc', seconds_left: 100, next: null };

function answers(status: number, body: unknown, headers: Record<string, string> = {}): { url: string; init: RequestInit }[] {
  const asked: { url: string; init: RequestInit }[] = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, init });
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve(new Response(text, { status, headers: { 'Content-Type': typeof body === 'string' ? 'text/plain' : 'application/json', ...headers } }));
  });
  return asked;
}

afterEach(() => {
  vi.unstubAllGlobals();
  session.value = null;
  signedIn.value = 'unknown';
});

describe('the way to the service', () => {
  it('puts parameters into paths and queries', () => {
    expect(urlOf('/points/{id}/items/{item}/files', { id: 'a/b', item: 'ä' }, { path: 'x%20y/z', limit: 5, after: undefined, item: '' })).toBe('/api/v1/points/a%2Fb/items/%C3%A4/files?path=x%2520y%2Fz&limit=5');
    expect(() => urlOf('/points/{id}')).toThrow('{id}');
  });

  it('sends the token of the session with every change and with nothing else', async () => {
    session.value = me;
    for (const [name, { method, path }] of Object.entries(operations)) {
      const asked = answers(200, {});
      const params = Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map((m) => [m[1]!, 'x']));
      await call(name as keyof typeof operations, { params });
      const headers = asked[0]!.init.headers as Record<string, string>;
      expect(headers['X-Holdfast-CSRF'], name).toBe(method === 'GET' ? undefined : 'abc');
      expect(asked[0]!.init.credentials).toBe('same-origin');
    }
  });

  it('gives tag, text and nothing', async () => {
    answers(200, { file: 'x' }, { ETag: '"7"' });
    expect((await callWithTag('settings')).tag).toBe('"7"');
    answers(200, '[ ] 1. Do this\n');
    expect(await call('runBook')).toBe('[ ] 1. Do this\n');
    answers(204, undefined);
    expect(await call('signOut')).toBeNull();
  });

  it('notices that the session has ended, but not in a wrong password', async () => {
    session.value = me;
    signedIn.value = 'yes';
    answers(401, { title: 'No', detail: 'wrong' });
    await expect(call('signIn', { body: { user: 'a', password: 'b' } })).rejects.toThrow(ApiError);
    expect(signedIn.value).toBe('yes');
    await expect(call('status')).rejects.toThrow('wrong');
    expect(signedIn.value).toBe('ended');
  });

  it('makes a problem of a network that is not there and of an answer that breaks off', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(call('startJob', { body: { kind: 'backup' } })).rejects.toMatchObject({ problem: { status: 0, code: 'unreachable' } });
    answers(200, undefined);
    await expect(call('status')).rejects.toMatchObject({ problem: { code: 'unreachable' } });
  });

  it('knows rights', () => {
    expect(may('see')).toBe(false);
    session.value = me;
    expect(may('operate')).toBe(true);
    expect(may('recover')).toBe(false);
  });
});
