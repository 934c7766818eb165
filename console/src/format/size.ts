// Sizes and counts as the command line writes them (decimal units): one number has one spelling everywhere.

const kUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

export function humanBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.length) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${kUnits[unit]}`;
}

export function humanCount(count: number): string {
  return Math.round(count).toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

export function exactBytes(bytes: number): string {
  return `${humanCount(bytes)} bytes`;
}

// "1 item", "2 items".
export function counted(count: number, what: string, many = `${what}s`): string {
  return `${humanCount(count)} ${count === 1 ? what : many}`;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value !== 0 && Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}
