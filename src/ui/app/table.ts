// SPDX-License-Identifier: Apache-2.0
// Tables that sort by any column, show as many rows as are asked for, and export as CSV.

import { askAddress } from "./address";
import { download, fileName, h, replace, type Child } from "./dom";
import { humanName, plain, whole } from "./format";

export type Cell = number | string | null;

export interface ColumnSpec {
  title: string;
  /** How a value is shown; the export has it as it is. */
  show?: (value: Cell, row: Cell[]) => Child;
  help?: string;
  /** Sentences, which a narrow screen must not squeeze to a word a line. */
  isProse?: boolean;
  /** A drawing or a button of the screen: the export goes without it. */
  isDrawn?: boolean;
}

export interface TableSpec {
  columns: ColumnSpec[];
  rows: Cell[][];
}

const PAGE_ROWS = 25;

export function isNumeric(spec: TableSpec, column: number): boolean {
  const first = spec.rows.find((row) => row[column] !== null);
  return first !== undefined && typeof first[column] === "number";
}

let isLive = true;
let isSynthetic = false;
/** Whether handles lead to Ask, and whether what is exported was invented. */
export function setTables(live: boolean, synthetic: boolean): void {
  isLive = live;
  isSynthetic = synthetic;
}

/** Leads to Ask; a report file has none. */
export function askAbout(handle: string): void {
  if (isLive) location.hash = askAddress(handle);
}

/** The end of a reading under points that can be clicked. */
export function clickHint(): string {
  return isLive ? " Click a point to ask about it." : "";
}

export function handleLink(handle: Cell): Child {
  if (handle === null || handle === "") return "–";
  if (!isLive) return String(handle);
  return h("a", { href: askAddress(String(handle)) }, String(handle));
}

/** A column or feature in words; its own name, which exports keep, on hover. */
export function nameCell(name: Cell): Child {
  if (name === null || name === "") return "–";
  const text = humanName(String(name));
  return text === name ? text : h("span", { title: String(name) }, text);
}

/** Names come from other people's tables: no cell of text may start a formula in a spreadsheet. */
function defused(cell: number | string): string {
  return typeof cell === "string" && /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell))
    ? `'${cell}`
    : String(cell);
}

export function toCsv(spec: TableSpec): string {
  const quote = (cell: Cell) => {
    const text = cell === null ? "" : defused(cell);
    return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const kept = spec.columns.map((_, i) => i).filter((i) => !spec.columns[i].isDrawn);
  const lines = [
    kept.map((i) => spec.columns[i].title),
    ...spec.rows.map((row) => kept.map((i) => row[i])),
  ];
  return lines.map((cells) => cells.map(quote).join(",")).join("\r\n") + "\r\n";
}

export function downloadCsv(spec: TableSpec, name: string): void {
  download(`${name}${isSynthetic ? "-synthetic-demo-data" : ""}.csv`, toCsv(spec), "text/csv");
}

function compare(a: Cell, b: Cell): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b));
}

function sorted(rows: Cell[][], column: number, falling: boolean): Cell[][] {
  const present = rows.filter((row) => row[column] !== null);
  const missing = rows.filter((row) => row[column] === null);
  present.sort((a, b) => compare(a[column], b[column]) * (falling ? -1 : 1));
  return [...present, ...missing];
}

/** As the column says, else as it is. */
export function shownCell({ show }: ColumnSpec, cell: Cell, row: Cell[]): Child {
  if (show) return show(cell, row);
  if (typeof cell === "number") return Number.isInteger(cell) ? whole(cell) : plain(cell);
  return cell ?? "–";
}

/** A table with its way out as CSV. */
export function table(spec: TableSpec, caption: string, pageRows = PAGE_ROWS): HTMLElement {
  const button = h(
    "button.quiet",
    {
      type: "button",
      "aria-label": `CSV of ${caption}`,
      onclick: () => downloadCsv(spec, fileName(caption)),
    },
    "CSV",
  );
  return bareTable(spec, caption, pageRows, button);
}

/** The same where the card around it has the way out. */
export function bareTable(
  spec: TableSpec,
  caption: string,
  pageRows = PAGE_ROWS,
  exported: HTMLElement | null = null,
): HTMLElement {
  let order: { column: number; falling: boolean } | null = null;
  let shown = pageRows;
  const numeric = spec.columns.map((_, i) => isNumeric(spec, i));
  const head = h("tr");
  const body = h("tbody");
  const more = h("div.table-more");

  const sortBy = (column: number) => {
    order = { column, falling: order?.column === column ? !order.falling : numeric[column] };
    draw();
    (head.children[column].firstChild as HTMLElement).focus();
  };
  const drawHead = () =>
    replace(
      head,
      spec.columns.map((column, i) => {
        const mine = order?.column === i;
        return h(
          numeric[i] ? "th.number" : "th",
          {
            scope: "col",
            "aria-sort": mine ? (order?.falling ? "descending" : "ascending") : "none",
            title: column.help,
          },
          h(
            "button.sort",
            { type: "button", onclick: () => sortBy(i) },
            column.title,
            h("span.arrow", { "aria-hidden": "true" }, mine ? (order?.falling ? "↓" : "↑") : ""),
          ),
        );
      }),
    );
  const drawRow = (row: Cell[]) =>
    h(
      "tr",
      null,
      row.map((cell, i) => {
        const kind = numeric[i] ? "td.number" : spec.columns[i].isProse ? "td.prose" : "td";
        return h(kind, null, shownCell(spec.columns[i], cell, row));
      }),
    );
  const draw = () => {
    drawHead();
    const rows = order ? sorted(spec.rows, order.column, order.falling) : spec.rows;
    replace(body, rows.slice(0, shown).map(drawRow));
    const left = rows.length - shown;
    const showMore = () => {
      shown += 10 * pageRows;
      draw();
    };
    replace(
      more,
      exported,
      left > 0 &&
        h(
          "button.quiet",
          { type: "button", onclick: showMore },
          `Show more (${left.toLocaleString("en-US")} rows left)`,
        ),
    );
  };
  draw();
  return h(
    "div",
    null,
    h(
      "div.table-scroll",
      { tabindex: 0, role: "region", "aria-label": caption },
      h("table", null, h("caption.hidden", null, caption), h("thead", null, head), body),
    ),
    more,
  );
}
