// Light, dark, or as the system says. Remembered in this browser alone.
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const kKey = 'holdfast.theme';

function remembered(): Theme {
  try {
    const value = localStorage.getItem(kKey);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';   // a browser that keeps nothing
  }
}

export const theme = signal<Theme>('system');

export function applyTheme(chosen: Theme = remembered()): void {
  theme.value = chosen;
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
  try {
    if (chosen === 'system') localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, chosen);
  } catch {
    return;   // then it holds for this page only
  }
}
