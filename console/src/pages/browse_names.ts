// Names of entries. In addresses each is a segment: its bytes, with %XX for what is not plain. Names need not be UTF-8.
import type { Entry } from '../api/schema';
import { address } from '../router';

// Item and path stand in the query: what has a '.' in its last part is a file to the server, and items may be called `kms-keys.after`.
export const browseAddress = (id: string, item: string, path = ''): string => address('/points/:id/browse', { id }, { item, path });

export function nameOf(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
      const byte = parseInt(hex, 16);
      return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${hex.toLowerCase()}`;
    });
  }
}

const kLetter: Record<Entry['type'], string> = { file: '-', directory: 'd', symlink: 'l', fifo: 'p', character_device: 'c', block_device: 'b', hard_link: 'h' };

export function modeText(type: Entry['type'], mode: number): string {
  const letters = [6, 3, 0].flatMap((shift) => {
    const bits = (mode >> shift) & 7;
    return [bits & 4 ? 'r' : '-', bits & 2 ? 'w' : '-', bits & 1 ? 'x' : '-'];
  });
  if (mode & 0o4000) letters[2] = 's';
  if (mode & 0o2000) letters[5] = 's';
  if (mode & 0o1000) letters[8] = 't';
  return kLetter[type] + letters.join('');
}
