// A table: real rows and headers, sorted by its head, arrow keys go from row to row. Columns marked `wide` are left out on narrow screens.
import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { Icon } from './icons';

export interface Column<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  sort?: (row: Row) => number | string;
  number?: boolean;
  wide?: boolean;
  head?: boolean; // the cell that names the row
  actions?: boolean;
  hiddenTitle?: boolean;
}

export function Table<Row>({ caption, columns, rows, rowKey, empty, rowClass, order }: {
  caption: string; columns: Column<Row>[]; rows: Row[]; rowKey: (row: Row) => string | number; empty?: ComponentChildren;
  rowClass?: (row: Row) => string; order?: { key: string; down: boolean };
}): JSX.Element {
  const [sorted, setSorted] = useState(order ?? null);
  const shown = useMemo(() => {
    const by = sorted ? columns.find((c) => c.key === sorted.key)?.sort : undefined;
    if (!by || !sorted) return rows;
    const sign = sorted.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const x = by(a), y = by(b);
      return (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y))) * sign;
    });
  }, [rows, sorted, columns]);
  if (rows.length === 0 && empty) return <>{empty}</>;
  const classes = (c: Column<Row>): string => [c.number ? 'number' : '', c.wide ? 'wide' : '', c.actions ? 'actions' : ''].filter(Boolean).join(' ');
  return (
    <div class="table" tabIndex={0} role="group" aria-label={caption}>
      <table onKeyDown={moveByArrow}>
        <caption class="hidden-text">{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => {
              const direction = sorted?.key === c.key ? (sorted.down ? 'descending' : 'ascending') : undefined;
              return (
                <th key={c.key} scope="col" class={classes(c)} {...(direction ? { 'aria-sort': direction } : {})}>
                  {c.sort ? (
                    <button type="button" class="sort" onClick={() => setSorted({ key: c.key, down: sorted?.key === c.key ? !sorted.down : false })}>
                      {c.title}{direction ? <Icon name={sorted?.down ? 'down' : 'up'} /> : null}
                    </button>
                  ) : c.hiddenTitle || c.actions ? <span class="hidden-text">{c.title}</span> : c.title}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={rowKey(row)} class={rowClass?.(row)}>
              {columns.map((c) => c.head
                ? <th key={c.key} scope="row" class={classes(c)}>{c.cell(row)}</th>
                : <td key={c.key} class={classes(c)}>{c.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const kReachable = 'a[href], button, input, select';

// Up and down go to the same control of the next row.
function moveByArrow(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const from = event.target as HTMLElement;
  if (from.matches('select, input:not([type="checkbox"]):not([type="radio"])')) return;
  const row = from.closest('tbody tr');
  if (!row) return;
  const index = [...row.querySelectorAll(kReachable)].indexOf(from);
  let next = event.key === 'ArrowDown' ? row.nextElementSibling : row.previousElementSibling;
  while (next) {
    const targets = next.querySelectorAll<HTMLElement>(kReachable);
    const target = targets[Math.min(Math.max(index, 0), targets.length - 1)];
    if (target) {
      event.preventDefault();
      target.focus();
      return;
    }
    next = event.key === 'ArrowDown' ? next.nextElementSibling : next.previousElementSibling;
  }
}
