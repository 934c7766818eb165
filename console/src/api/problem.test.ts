import { describe, expect, it } from 'vitest';
import { ApiError, problemFrom, problemOf, unreachable } from './problem';

describe('problems', () => {
  it('keeps the four parts that the service says', () => {
    const p = problemFrom(503, { title: 'The place cannot be reached now.', detail: 'cannot open repository /backup', safe: 'nothing was changed', hint: 'mount it', code: 'unavailable', exit: 15 }, '20');
    expect(p).toEqual({ status: 503, title: 'The place cannot be reached now.', detail: 'cannot open repository /backup', safe: 'nothing was changed', hint: 'mount it', code: 'unavailable', retryAfter: 20 });
  });
  it.each([null, 'a page of a proxy', 17, [], { title: 5, detail: {} }])('makes one of %j', (body) => {
    const p = problemFrom(502, body, 'Wed, 21 Oct 2026 07:28:00 GMT');
    expect(p.title).toContain('proxy');
    expect([p.detail, p.safe, p.hint, p.code]).toEqual(['', '', '', '']);
    expect(p.retryAfter).toBeNull();
  });
  it('has a text for every status', () => {
    for (let status = 400; status < 600; status += 1) expect(problemFrom(status, null, null).title).not.toBe('');
  });
  it('invents nothing about a change whose answer did not come', () => {
    expect(unreachable(false).detail).toContain('whether the change was made is not known');
    expect(unreachable(false).safe).not.toContain('nothing was changed');
    expect(unreachable(true).detail).not.toContain('change');
  });
  it('turns everything that is thrown into one', () => {
    const p = unreachable(true);
    expect(problemOf(new ApiError(p))).toBe(p);
    expect(problemOf(new TypeError('x is undefined')).detail).toBe('x is undefined');
    expect(problemOf('text').detail).toBe('text');
  });
});
