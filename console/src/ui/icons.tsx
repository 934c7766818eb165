// Signs, drawn for this console: 16 units wide, strokes in the text's colour. Always beside a word, so hidden from screen readers.
import type { JSX } from 'preact';

const kPaths = {
  home: 'M2.5 7.5 8 3l5.5 4.5M4 6.5V13h8V6.5M6.75 13V9.5h2.5V13',
  shield: 'M8 2l5 1.8v3.9c0 3-2 5.2-5 6.3-3-1.1-5-3.3-5-6.3V3.8z',
  points: 'M3 4h10M3 8h10M3 12h10M1 4h.01M1 8h.01M1 12h.01',
  wizard: 'M5 2.5v7M2.5 7 5 9.5 7.5 7M11 13.5v-7M8.5 9 11 6.5 13.5 9',
  recover: 'M3 8a5 5 0 1 0 1.7-3.75M3 2.5v3h3M8 5.5V8l2 1.5',
  package: 'M2.5 5 8 2.5 13.5 5v6L8 13.5 2.5 11zM2.5 5 8 7.5 13.5 5M8 7.5v6',
  kit: 'M2.5 5.5h11v7.5h-11zM6 5.5V3.5h4v2M8 7.5v3.5M6.25 9.25h3.5',
  jobs: 'M2.5 3.5h11M2.5 8h7M2.5 12.5h4.5M11 9.5v4l3-2z',
  growth: 'M2.5 2.5v11h11M4.5 11 7.5 7.5l2 2 4-5',
  bell: 'M4 11V7.5a4 4 0 0 1 8 0V11l1 1.25H3zM6.75 14h2.5',
  users: 'M6 7.5a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5zM2 13c.3-2.4 1.9-3.5 4-3.5s3.7 1.1 4 3.5M10.5 7.25a2 2 0 1 0-.6-3.9M11.5 9.75c1.5.3 2.3 1.4 2.5 3.25',
  audit: 'M4 2h6l2.5 2.5V14H4zM10 2v2.5h2.5M6 7.5h4.5M6 10h4.5',
  ok: 'M3 8.5 6.5 12 13 4.5',
  warn: 'M8 2.5 14 13H2zM8 6.5v3M8 11.25h.01',
  bad: 'M5.2 2h5.6L14 5.2v5.6L10.8 14H5.2L2 10.8V5.2zM8 5v3.5M8 11h.01',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.25V11M8 5h.01',
  off: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.5 8h5',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.75V8l2.25 1.5',
  running: 'M8 2a6 6 0 1 1-5.2 3M8 5v3.25l2 1.25',
  person: 'M8 7.5A2.5 2.5 0 1 0 8 2.5a2.5 2.5 0 0 0 0 5zM3 13.5c.4-2.7 2.3-4 5-4s4.6 1.3 5 4',
  close: 'M4 4l8 8M12 4l-8 8',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  sun: 'M8 10.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5z',
  auto: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 5h4.5M8 8h6M8 11h4.5',
  pin: 'M8 9.5V14M5 9.5h6L9.75 7.5V3.5h.75V2h-5v1.5h.75v4z',
  folder: 'M2 4h4.5L8 5.5h6V13H2z',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  link: 'M6.5 9.5l3-3M7 4.5l1-1a2.8 2.8 0 0 1 4 4l-1 1M9 11.5l-1 1a2.8 2.8 0 0 1-4-4l1-1',
  download: 'M8 2.5v8M4.75 7.5 8 10.75 11.25 7.5M2.5 13.5h11',
  up: 'M8 12.5v-9M4.5 7 8 3.5 11.5 7',
  down: 'M8 3.5v9M4.5 9 8 12.5 11.5 9',
  play: 'M5 3v10l8-5z',
  stop: 'M4 4h8v8H4z',
  print: 'M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7v4h-7z',
  plus: 'M8 3v10M3 8h10',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
} as const;

export type IconName = keyof typeof kPaths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} />
    </svg>
  );
}
