// SPDX-License-Identifier: Apache-2.0
// What was read, repaired and refused, and what each column holds.

import { remember } from "../address";
import type { Context } from "../context";
import { card, cardHead, chartCard } from "../chart";
import { histogramOption, histogramTable, sparkBars } from "../charts/histogram";
import { append, h, replace, type Child } from "../dom";
import {
  bytes,
  change,
  humanName,
  percent,
  plain,
  plural,
  sentence,
  whole,
  withUnit,
  worded,
} from "../format";
import { sourceText } from "../picture";
import {
  isThere,
  reason,
  type Alert,
  type Column,
  type Data,
  type DataEvent,
  type Report,
  type Source,
} from "../report";
import { note, partial } from "../states";
import { handleLink, nameCell, table, type Cell } from "../table";

export function data(into: HTMLElement, { report }: Context, query: URLSearchParams): void {
  const { data: found } = report;
  append(into, [
    h(
      "div.section-head",
      null,
      h("h2", null, "Data"),
      h("p.lead", null, "What was read, what was changed on the way, and what each column holds."),
    ),
    h(
      "div.cards",
      null,
      rowsCard(found),
      alertsCard(found),
      columnsCard(found, query.get("column")),
      eventsCard(found),
      h("div.cards.two", null, outliersCard(found), outlierRows(found)),
      comparisonCard(report),
      found.sources.map(sourceCard),
      found.joined?.map(sourceCard),
    ),
  ]);
}

function rowsCard({ rows }: Data): Child {
  const figures: [string, number, string][] = [
    ["Rows read", rows.read, ""],
    [
      "Accounts",
      rows.kept,
      rows.read - rows.refused > rows.kept
        ? `${whole(rows.read - rows.refused - rows.kept)} rows are of the same accounts in other months`
        : "a row each",
    ],
    ["Rows refused", rows.refused, "set aside, listed below"],
    ["Values repaired", rows.repaired, "certain enough to mend"],
    ["Values not believed", rows.unbelieved, "now count as missing"],
  ];
  return h(
    "dl.figures",
    null,
    figures.map(([label, value, small]) =>
      h(
        "div.figure",
        { title: sourceText() },
        h("dt", null, label),
        h("dd.value", null, whole(value)),
        small && h("dd.small", null, small),
      ),
    ),
  );
}

/** What alerts of a kind say together, when several columns have it. */
const TOGETHER: Record<string, (n: number) => string> = {
  missing: (n) => `${n} columns lack many values`,
  zeros: (n) => `${n} columns are 0 in most rows: is that a value, or nothing known?`,
  skewed: (n) => `${n} columns are skewed: a few large values dominate their means`,
  high_correlation: (n) => `${n} pairs of columns say nearly the same`,
  outliers: (n) => `${n} columns hold many values that lie far out`,
  constant: (n) => `${n} columns have one value only`,
  imbalance: (n) => `${n} columns have one value in nearly every row`,
  unique: (n) => `${n} columns differ in every row`,
};

/** One line a kind and level: sixty of the same make nobody look. */
function alertNote(list: Alert[]): Child {
  const [first] = list;
  const kind = first.kind.replace(/_/g, " ");
  if (list.length === 1)
    return note(first.level, first.text, h("span.muted.small", null, ` ${kind}`));
  const told = list.map(
    (alert) =>
      `${alert.columns.map(humanName).join(" and ")}${alert.value === null || alert.value === undefined ? "" : ` ${alert.kind === "skewed" || alert.kind === "high_correlation" ? plain(alert.value) : percent(alert.value)}`}`,
  );
  const text = TOGETHER[first.kind]?.(list.length) ?? `${list.length} times: ${first.text}`;
  return note(
    first.level,
    h(
      "details",
      null,
      h("summary", null, `${text} `, h("span.muted.small", null, kind)),
      h("p.small.muted", null, told.join(" · ")),
    ),
  );
}

function alertsCard({ alerts }: Data): Child {
  const warnings = alerts.filter((alert) => alert.level === "warning").length;
  const title =
    alerts.length === 0
      ? "Nothing strange in the columns"
      : warnings > 0
        ? `${plural(warnings, "warning")} about the columns`
        : `${plural(alerts.length, "remark")} about the columns`;
  const groups = new Map<string, Alert[]>();
  for (const alert of [...alerts].sort(
    (a, b) => Number(b.level === "warning") - Number(a.level === "warning"),
  )) {
    const key = `${alert.level} ${alert.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), alert]);
  }
  return card(
    cardHead(title, alerts.length > groups.size && "one line a kind; open it for the columns"),
    [...groups.values()].map(alertNote),
  );
}

function columnsCard({ columns }: Data, wanted: string | null): Child {
  const detail = h("div", { "aria-live": "polite" });
  const open = (column: Column) => replace(detail, columnDetail(column));
  const byName = new Map(columns.map((column) => [column.name, column]));
  const rows: Cell[][] = columns.map((column) => [
    column.name,
    column.name,
    column.present,
    column.missing / Math.max(column.present + column.missing, 1),
    column.distinct,
    column.median ?? column.top?.[0]?.value ?? null,
    column.skew ?? null,
  ]);
  const list = table(
    {
      columns: [
        {
          title: "column",
          show: (name) =>
            h(
              "button.link",
              {
                type: "button",
                title: String(name),
                onclick: () => (remember("column", String(name)), open(byName.get(String(name))!)),
              },
              humanName(String(name)),
            ),
        },
        { title: "shape", isDrawn: true, show: (name) => shape(byName.get(String(name))!) },
        { title: "values", show: (n) => whole(n as number) },
        { title: "missing", show: (share) => missingCell(share as number) },
        { title: "distinct", show: (n) => whole(n as number) },
        {
          title: "typical",
          help: "median, or the most frequent",
          show: (value, row) =>
            byName.get(String(row[0]))!.kind === "flag" && value !== null
              ? Number(value) === 0
                ? "no"
                : "yes"
              : typeof value === "number"
                ? withUnit(value, unitOf(byName.get(String(row[0]))!))
                : (value ?? "–"),
        },
        {
          title: "skew",
          help: "0 is symmetric; above 3 a few large values dominate",
          show: (value) => plain(value as number),
        },
      ],
      rows,
    },
    "Columns",
    40,
  );
  const chosen = wanted ? byName.get(wanted) : undefined;
  if (chosen) open(chosen);
  return [
    card(cardHead(`${plural(columns.length, "column")}`, "choose one for its distribution"), list),
    detail,
  ];
}

function unitOf(column: Column): string {
  return column.kind === "month" ? "month" : column.unit;
}

function missingCell(share: number): Child {
  return share === 0 ? "none" : h("span", { class: share > 0.2 ? "warn" : "" }, percent(share));
}

function shape(column: Column): Child {
  if (column.histogram && column.histogram.counts.length > 0)
    return sparkBars(column.histogram, `Distribution of ${humanName(column.name)}`);
  if (!column.top?.length)
    return h(
      "span.muted.small",
      null,
      column.kind === "text" && column.distinct > 0 ? "names" : "–",
    );
  const total = column.present || 1;
  return h(
    "span.topbar",
    {
      role: "img",
      "aria-label": `Most frequent: ${column.top
        .slice(0, 3)
        .map((entry) => entry.value)
        .join(", ")}`,
    },
    column.top.slice(0, 6).map((entry) =>
      h("i", {
        style: { width: `${(100 * entry.count) / total}%` },
        title: `${entry.value}: ${whole(entry.count)}`,
      }),
    ),
  );
}

function columnDetail(column: Column): Child {
  const name = sentence(humanName(column.name));
  if (column.histogram && column.histogram.counts.length > 0) {
    const unit = unitOf(column);
    const show = (value: number | null | undefined) => withUnit(value, unit);
    const facts: [string, string][] = [
      ["mean", show(column.mean)],
      ["sd", show(column.sd)],
      ["5 % to 95 %", `${show(column.q05)} to ${show(column.q95)}`],
      ["middle half", `${show(column.q25)} to ${show(column.q75)}`],
      ["smallest, largest", `${show(column.min)}, ${show(column.max)}`],
      ["zeros", whole(column.zeros)],
      ["negative", whole(column.negative)],
      ["skew, of its logarithm", `${plain(column.skew)}, ${plain(column.skew_ln)}`],
    ];
    const made = chartCard({
      title: `${name}: half lie between ${show(column.q25)} and ${show(column.q75)}`,
      subtitle: `${column.help}${column.histogram.scale === "log" ? "; log scale" : ""}; ${plural(column.present, "value")}, ${whole(column.missing)} missing${column.histogram.zeros ? `, ${whole(column.histogram.zeros)} zeros not drawn` : ""}`,
      reading:
        "The higher a bar, the more rows hold such a value; half of the rows lie left of the line at the median.",
      name: `column-${column.name}`,
      height: 260,
      table: histogramTable(column.histogram, unit),
      option: () =>
        histogramOption(
          column.histogram!,
          unit,
          humanName(column.name),
          column.median === null || column.median === undefined
            ? []
            : [{ at: column.median, name: `median ${show(column.median)}` }],
        ),
    });
    made.element.append(
      h(
        "dl.facts.columns",
        null,
        facts.map(([label, value]) => h("div", null, h("dt", null, label), h("dd", null, value))),
      ),
    );
    return made.element;
  }
  const total = column.present || 1;
  return card(
    cardHead(
      column.top_share
        ? `${name}: ${percent(column.top_share)} is ${column.top?.[0]?.value ?? "one value"}`
        : name,
      `${column.help}; ${plural(column.distinct, "different value")}; ${whole(column.missing)} missing${column.entropy ? `; entropy ${plain(column.entropy)} bits` : ""}`,
    ),
    column.top?.length
      ? table(
          {
            columns: [
              { title: "value" },
              { title: "rows", show: (n) => whole(n as number) },
              {
                title: "share",
                show: (share) => [
                  h(
                    "span.bar-cell.inline",
                    { "aria-hidden": "true" },
                    h("i", { style: { width: percent(share as number, 1).replace(" ", "") } }),
                  ),
                  percent(share as number),
                ],
              },
            ],
            rows: column.top.map((entry) => [entry.value, entry.count, entry.count / total]),
          },
          `${name}, most frequent`,
        )
      : partial("Names: every row has its own."),
  );
}

const EVENT_KINDS: Record<DataEvent["kind"], string> = {
  refused: "refused",
  repaired: "repaired",
  missing: "counted as missing",
  note: "noted",
};

/** More make the row a column of its own. */
const EXAMPLES_SHOWN = 3;

function eventsCard({ events, sources }: Data): Child {
  if (events.length === 0)
    return card(cardHead("Every row was taken as it is", "nothing repaired, nothing refused"));
  const order: DataEvent["kind"][] = ["refused", "missing", "repaired", "note"];
  const sorted = [...events].sort(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.count - a.count,
  );
  const examples = (event: DataEvent) =>
    event.examples.map((example) => `line ${example.line}: ${example.value}`).join("\n");
  return card(
    cardHead("What was done to the rows", "by rule; the examples name the line"),
    table(
      {
        columns: [
          { title: "what" },
          { title: "column", show: nameCell },
          { title: "why", isProse: true, show: (text) => worded(String(text)) },
          { title: "count", show: (n) => whole(n as number) },
          { title: "file" },
          {
            title: "examples",
            show: (lines) =>
              String(lines)
                .split("\n")
                .filter(Boolean)
                .slice(0, EXAMPLES_SHOWN)
                .map((line) =>
                  h(
                    "div.small.example",
                    null,
                    h("span.muted", null, line.slice(0, line.indexOf(":") + 2)),
                    h("code", null, line.slice(line.indexOf(":") + 2)),
                  ),
                ),
          },
        ],
        rows: sorted.map((event) => [
          EVENT_KINDS[event.kind] ?? event.kind,
          event.column || null,
          event.text,
          event.count,
          sources[event.source]?.name ?? "all",
          examples(event),
        ]),
      },
      "What was done to the rows",
    ),
  );
}

/** Shows a value of a column, named in the row, in its own unit. */
function inUnits(columns: Column[]): (name: Cell, value: Cell) => string {
  const units = new Map(columns.map((column) => [column.name, unitOf(column)]));
  return (name, value) => withUnit(value, units.get(String(name)) ?? "");
}

/** The rule for people: to the letter it stands in the report, and on hover. */
function ruleText(rule: string): string {
  const times = /than ([\d.]+)/.exec(rule)?.[1];
  return times ? `more than ${times} times the usual spread from the median of their column` : rule;
}

function outliersCard({ outliers, columns }: Data): Child {
  const outlying = outliers.columns.filter((column) => column.n_low + column.n_high > 0);
  const total = outlying.reduce((sum, column) => sum + column.n_low + column.n_high, 0);
  const fences = new Map(outlying.map((column) => [column.column, column]));
  const show = inUnits(columns);
  const fence = (n: Cell, side: "under" | "over", name: Cell) => {
    const at = fences.get(String(name))!;
    return n === 0
      ? "–"
      : `${whole(n as number)} ${side} ${show(name, side === "under" ? at.low : at.high)}`;
  };
  return card(
    cardHead(
      total ? `${plural(total, "value")} lie far out` : "No value lies far out",
      h("span", { title: outliers.rule }, ruleText(outliers.rule)),
    ),
    table(
      {
        columns: [
          { title: "column", show: nameCell },
          { title: "below", show: (n, row) => fence(n, "under", row[0]) },
          { title: "above", show: (n, row) => fence(n, "over", row[0]) },
        ],
        rows: outlying.map((column) => [column.column, column.n_low, column.n_high]),
      },
      "Fences of outliers",
    ),
  );
}

function outlierRows({ outliers, columns }: Data): Child {
  const show = inUnits(columns);
  return card(
    cardHead("The farthest", "robust z: distance from the median in units of the usual spread"),
    table(
      {
        columns: [
          { title: "account", show: handleLink },
          { title: "column", show: nameCell },
          { title: "value", show: (value, row) => show(row[1], value) },
          { title: "z", show: (z) => change(z as number) },
          { title: "line" },
        ],
        rows: outliers.rows.map((row) => [row.handle, row.column, row.value, row.z, row.line]),
      },
      "Farthest values",
      10,
    ),
  );
}

/** In a title. */
const CHANGES_SAID = 2;

function comparisonCard({ data: { comparison, columns } }: Report): Child {
  const show = inUnits(columns);
  if (!isThere(comparison))
    return card(cardHead("Two snapshots compared"), partial(reason(comparison, "comparison")));
  const moved = comparison.columns
    .filter((column) => (column.psi ?? 0) > 0.25)
    .map((column) => humanName(column.column));
  const change_ = (value: Cell) =>
    value === null ? "–" : `${change(100 * Math.expm1(value as number))} %`;
  // Of what is surely no chance, the farthest first.
  const changed = comparison.columns
    .filter((column) => (column.low ?? 0) * (column.high ?? 0) > 0)
    .sort((a, b) => Math.abs(b.change_median ?? 0) - Math.abs(a.change_median ?? 0))
    .slice(0, CHANGES_SAID)
    .map((column) => `${humanName(column.column)} ${change_(column.change_median)}`);
  return card(
    cardHead(
      moved.length
        ? `Between ${comparison.before} and ${comparison.after}, ${moved.join(", ")} moved much`
        : changed.length
          ? `From ${comparison.before} to ${comparison.after}, in the median account: ${changed.join(", ")}`
          : `${comparison.before} and ${comparison.after} are alike`,
      `${whole(comparison.rows_before)} and ${whole(comparison.rows_after)} rows; ${whole(comparison.in_both)} accounts in both, ${whole(comparison.appeared)} new, ${whole(comparison.gone)} gone`,
    ),
    table(
      {
        columns: [
          { title: "column", show: nameCell },
          { title: "median before", show: (value, row) => show(row[0], value) },
          { title: "after", show: (value, row) => show(row[0], value) },
          {
            title: "change of an account",
            help: "median over the accounts in both",
            show: change_,
          },
          { title: "low", show: change_ },
          { title: "high", show: change_ },
          { title: "missing before", show: (share) => percent(share as number) },
          { title: "after", show: (share) => percent(share as number) },
          {
            title: "PSI",
            help: "population stability index: above 0.1 some, above 0.25 much has moved",
            show: (value) => plain(value as number),
          },
          {
            title: "KS",
            help: "largest distance of the two distributions, 0 to 1",
            show: (value) => plain(value as number),
          },
        ],
        rows: comparison.columns.map((column) => [
          column.column,
          column.median_before,
          column.median_after,
          column.change_median,
          column.low,
          column.high,
          column.missing_before,
          column.missing_after,
          column.psi,
          column.ks,
        ]),
      },
      "Snapshots compared",
    ),
    h(
      "p.reading",
      null,
      "PSI above 0.1: some shift; above 0.25: much. The change is that of the accounts in both, with its 95 % interval.",
    ),
  );
}

const DELIMITERS: Record<string, string> = {
  "\t": "tabs",
  ",": "commas",
  ";": "semicolons",
  "|": "bars",
};

function sourceCard(source: Source): Child {
  return card(
    cardHead(
      `${source.name}${source.month ? ` (${source.month})` : ""}`,
      `read as ${source.schema || "its headers say"}; ${source.encoding}; separated by ${DELIMITERS[source.delimiter] ?? source.delimiter}; ${bytes(source.bytes)}; ${whole(source.kept)} of ${plural(source.rows, "row")} kept`,
    ),
    table(
      {
        columns: [
          { title: "header" },
          { title: "read as", show: nameCell },
          { title: "by" },
          { title: "unit" },
          { title: "values", show: (n) => whole(n as number) },
          { title: "missing", show: (n) => whole(n as number) },
        ],
        rows: source.columns.map((column) => [
          column.header,
          column.field || null,
          column.how,
          column.unit,
          column.present,
          column.missing,
        ]),
      },
      `Columns of ${source.name}`,
      15,
    ),
    h("p.reading.mono", null, `sha256 ${source.sha256}`),
  );
}
