import { describe, expect, it } from 'vitest';
import { choiceOf, expressionOf, inWords, kWeekdays, type Choice } from './calendar';

describe('calendar expressions', () => {
  it.each([
    ['hourly', 'every hour'], ['daily', 'every day at 00:00'], ['*-*-* 02:30:00', 'every day at 02:30'], ['02:30', 'every day at 02:30'],
    ['Mon..Fri 02:30', 'Monday to Friday at 02:30'], ['Mon..Fri *-*-* 02:30:00', 'Monday to Friday at 02:30'], ['Sun 4:00', 'every Sunday at 04:00'],
    ['Mon..Sat 01:00', 'Monday to Saturday at 01:00'], ['Mon,Wed..Fri 8:05', 'Monday, Wednesday to Friday at 08:05'],
    ['*-*-01 04:00', 'on the 1st of every month at 04:00'], ['*-*-22 04:00', 'on the 22nd of every month at 04:00'], ['*-*-13 04:00', 'on the 13th of every month at 04:00'],
    ['*:0/30', 'every 30 minutes'], ['*-*-* *:00/15:00', 'every 15 minutes'],
  ])('%s is %s', (expression, words) => expect(inWords(expression)).toBe(words));

  it.each(['Mon *-05~07/1 04:15', '*-02-30', '*-*-01 04:00 UTC', '25:00', 'Mon..Fri 02:30 Europe/Berlin', 'Mon..Fri 02:30:30', '*-*-31 04:00', '', 'nonsense'])(
    'claims nothing about %s', (expression) => {
      expect(inWords(expression)).toBe('');
      expect(choiceOf(expression).rhythm).toBe('own');
      expect(expressionOf(choiceOf(expression))).toBe(expression);
    });

  it('makes of every choice an expression that is that choice again', () => {
    for (const rhythm of ['hourly', 'daily', 'weekdays', 'weekly', 'monthly'] as const)
      for (const weekday of kWeekdays)
        for (const day of [1, 9, 28])
          for (const time of ['00:00', '02:30', '23:59']) {
            const choice: Choice = { rhythm, weekday, day, time, text: '' };
            const again = choiceOf(expressionOf(choice));
            expect(again.rhythm).toBe(rhythm);
            if (rhythm !== 'hourly') expect(again.time).toBe(time);
            if (rhythm === 'weekly') expect(again.weekday).toBe(weekday);
            if (rhythm === 'monthly') expect(again.day).toBe(day);
          }
  });
});
