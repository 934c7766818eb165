import { describe, expect, it } from 'vitest';
import { counted, exactBytes, humanBytes, humanCount, percent } from './size';
import { ago, humanSeconds, local, parseTime, roughly, spanSeconds, spanWords, spoken, utc } from './time';

describe('sizes', () => {
  it.each([
    [0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [9_949, '9.9 kB'], [9_950, '10 kB'], [213_123_456, '213 MB'], [999_499_999, '999 MB'], [999_500_000, '1.0 GB'],
    [4_812_345_678, '4.8 GB'], [2 ** 53, '9.0 PB'],
  ])('%d bytes are %s', (bytes, text) => expect(humanBytes(bytes)).toBe(text));

  it('never shows four digits before a unit, and never another order than the bytes have', () => {
    let before = -1;
    for (let bytes = 1; bytes < 1e16; bytes = Math.ceil(bytes * 1.37)) {
      const [value, unit] = humanBytes(bytes).split(' ') as [string, string];
      expect(Number(value)).toBeLessThan(1000);
      const size = Number(value) * 1000 ** ['B', 'kB', 'MB', 'GB', 'TB', 'PB'].indexOf(unit);
      expect(size).toBeGreaterThanOrEqual(before);
      expect(Math.abs(size - bytes) / bytes).toBeLessThan(0.06);
      before = size;
    }
  });

  it('says exactly how many in tooltips', () => {
    expect(exactBytes(4_812_345_678)).toBe('4,812,345,678 bytes');
    expect(humanCount(1_000)).toBe('1,000');
    expect(counted(1, 'item')).toBe('1 item');
    expect(counted(0, 'item')).toBe('0 items');
    expect(counted(2, 'entry', 'entries')).toBe('2 entries');
    expect(percent(0.257)).toBe('26 %');
    expect(percent(0.012)).toBe('1.2 %');
    expect(percent(0)).toBe('0 %');
  });
});

describe('times', () => {
  const now = new Date(2026, 10, 22, 12, 0, 0);

  it('shows local time and UTC', () => {
    const t = new Date(Date.UTC(2026, 10, 22, 2, 0, 5));
    expect(utc(t)).toBe('2026-11-22 02:00:05 UTC');
    expect(local(new Date(2026, 0, 2, 3, 4, 5))).toBe('2026-01-02 03:04');
    expect(local(new Date(2026, 0, 2, 3, 4, 5), true)).toBe('2026-01-02 03:04:05');
    expect(parseTime('2026-11-22T02:00:05Z')?.getTime()).toBe(t.getTime());
    expect(parseTime('yesterday')).toBeNull();
  });

  it('speaks of days by the calendar, not by 24 hours', () => {
    expect(spoken(new Date(2026, 10, 22, 0, 1), now)).toBe('today 00:01');
    expect(spoken(new Date(2026, 10, 21, 23, 59), now)).toBe('yesterday 23:59');
    expect(spoken(new Date(2026, 10, 23, 0, 0), now)).toBe('tomorrow 00:00');
    expect(spoken(new Date(2026, 10, 18, 9, 5), now)).toBe('Wed 09:05');
    expect(spoken(new Date(2026, 10, 15, 9, 5), now)).toBe('2026-11-15 09:05');
    expect(spoken(new Date(2025, 10, 22, 9, 5), now)).toBe('2025-11-22 09:05');
  });

  it.each([[0, '< 1 s'], [3, '3 s'], [0.04, '0.0 s'], [9.94, '9.9 s'], [9.96, '10 s'], [59.4, '59 s'], [61, '1 min 01 s'], [3599.6, '1 h 00 min'], [3_660, '1 h 01 min'], [200_000, '2 d 7 h']])('%d s is %s', (s, text) => expect(humanSeconds(s)).toBe(text));

  it('cuts ages', () => {
    expect(roughly(47 * 3600)).toBe('47 h');
    expect(roughly(49 * 3600)).toBe('2 d');
    expect(ago(new Date(now.getTime() - 8 * 3_600_000), now)).toBe('8 h ago');
    expect(ago(new Date(now.getTime() + 90_000), now)).toBe('in 1 min');
    expect(ago(now, now)).toBe('now');
  });

  it('reads spans', () => {
    expect(spanSeconds('24h')).toBe(86_400);
    expect(spanSeconds('2w')).toBe(14 * 86_400);
    expect(spanSeconds('soon')).toBeNull();
    expect(spanWords('1d')).toBe('1 day');
    expect(spanWords('6m')).toBe('6 months');
    expect(spanWords('?')).toBe('?');
  });
});
