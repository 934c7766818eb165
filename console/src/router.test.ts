import { describe, expect, it } from 'vitest';
import { address, match } from './router';

describe('addresses', () => {
  it('finds parameters', () => {
    expect(match('/points/:id', '/points/3f2a')).toEqual({ id: '3f2a' });
    expect(match('/points/:id/items/:item', '/points/a/items/b%2Fc')).toEqual({ id: 'a', item: 'b/c' });
    expect(match('/', '/')).toEqual({});
    expect(match('/points', '/points/')).toEqual({});
  });
  it('refuses what is not that page', () => {
    expect(match('/points', '/points/x')).toBeNull();
    expect(match('/points/:id', '/points')).toBeNull();
    expect(match('/points/:id', '/jobs/1')).toBeNull();
    expect(match('/points/:id', '/points/%E0%A4%A')).toBeNull();
  });
  it('takes the rest', () => {
    expect(match('/files/*', '/files/a/b%20c')).toEqual({ rest: 'a/b c' });
    expect(match('/files/*', '/files')).toEqual({ rest: '' });
  });
  it('makes addresses that are found again', () => {
    for (const value of ['a', 'a b', 'a/b', 'ä%', '..', '?x=1#y']) {
      expect(match('/points/:id', address('/points/:id', { id: value }))).toEqual({ id: value });
    }
    expect(address('/points', {}, { origin: 'manual', status: '' })).toBe('/points?origin=manual');
    expect(address('/files/*', { rest: '' })).toBe('/files');
  });
});
