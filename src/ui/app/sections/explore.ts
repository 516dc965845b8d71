// SPDX-License-Identifier: Apache-2.0
// The data as they are: size against engagement, correlations, groups, growth, timing.

import { remember, remembered } from "../address";
import { isSureAmong } from "../chance";
import type { Context } from "../context";
import { card, cardHead, chartCard } from "../chart";
import {
  counted,
  dotHeight,
  dotOption,
  fewText,
  isLong,
  isTelling,
  ranked,
  type DotRow,
} from "../charts/dots";
import { histogramOption, histogramTable, trimmed } from "../charts/histogram";
import { spreadOption, spreadRowHeight, straysOf } from "../charts/spreads";
import { select } from "../controls";
import { append, h, type Child } from "../dom";
import { compact, humanName, percent, plural, sentence, whole, withUnit } from "../format";
import {
  isThere,
  reason,
  type GroupFigures,
  type GroupMedians,
  type GroupName,
  type GrowthSeen,
  type Maybe,
  type Report,
} from "../report";
import { note, partial } from "../states";
import { handleLink, table, type TableSpec } from "../table";
import { correlationCard } from "./explore/correlations";
import { projectionCard } from "./explore/projection";
import { scatterCard } from "./explore/scatter";
import { timingCard } from "./explore/timing";

export function explore(into: HTMLElement, { report }: Context): void {
  const { explore: found } = report;
  append(into, [
    h(
      "div.section-head",
      null,
      h("h2", null, "Explore"),
      h("p.lead", null, `${sentence(humanName(found.measure.name))}: ${found.measure.text}.`),
    ),
    h(
      "div.cards",
      null,
      scatterCard(report),
      distributionCard(report),
      groupCards(report),
      correlationCard(report),
      growthCards(report),
      timingCard(report),
      projectionCard(report),
    ),
  ]);
}

const BY: Record<GroupName, string> = {
  tier: "size tier",
  category: "category",
  country: "country",
};

function distributionCard(report: Report): Child {
  const all = report.explore.distributions;
  if (all.length === 0)
    return card(
      cardHead("Distributions by group"),
      partial(
        "No group has enough rows: distributions by tier, category or country need at least 5 rows in each.",
      ),
    );
  const names = (i: number) => report.groups[all[i].by];
  const title = (i: number) => {
    const { groups, column, unit, by } = all[i];
    const medians = groups.median
      .map((value, row) => ({ value, name: names(i)[groups.group[row]] }))
      .filter((entry): entry is { value: number; name: string } => entry.value !== null);
    const [low, high] = [
      medians.reduce((a, b) => (b.value < a.value ? b : a)),
      medians.reduce((a, b) => (b.value > a.value ? b : a)),
    ];
    const text = `${sentence(humanName(column))} by ${BY[by]}: median from ${withUnit(low.value, unit)} (${low.name})`;
    return medians.length > 1 ? `${text} to ${withUnit(high.value, unit)} (${high.name})` : text;
  };
  const figures = (i: number): TableSpec => {
    const { groups, unit, by } = all[i];
    const show = (value: unknown) => withUnit(value as number, unit);
    return {
      columns: [
        { title: BY[by] },
        { title: "n", show: (n) => whole(n as number) },
        ...["min", "5 %", "25 %", "median", "75 %", "95 %", "max"].map((name) => ({
          title: name,
          show,
        })),
      ],
      rows: groups.group.map((group, row) => [
        names(i)[group] ?? "(none)",
        groups.n[row],
        groups.min[row],
        groups.q05[row],
        groups.q25[row],
        groups.median[row],
        groups.q75[row],
        groups.q95[row],
        groups.max[row],
      ]),
    };
  };
  const nameOf = (i: number) => `${all[i].column}-by-${all[i].by}`;
  let chosen = Math.max(
    all.findIndex((_, i) => nameOf(i) === remembered("distribution")),
    0,
  );
  const element = h("div");
  const draw = () => {
    const { groups, column, unit, by } = all[chosen];
    const strays = straysOf(all[chosen]);
    const options = all.map((entry, i): [string, string] => [
      String(i),
      `${humanName(entry.column)} by ${BY[entry.by]}`,
    ]);
    const made = chartCard({
      title: title(chosen),
      subtitle: `${humanName(column)}${unit && unit !== "fraction" ? `, ${unit}` : ""}; ${plural(
        groups.n.reduce((sum, n) => sum + n, 0),
        "account",
      )}, n beside each group${strays ? `; ${plural(strays, "stray")} beyond the ends not drawn` : ""}`,
      reading:
        "Shape of each group; under it a thin line from 5 % to 95 %, a thick one over the middle half, and the median.",
      name: `${column}-by-${by}`,
      height: groups.group.length * spreadRowHeight + 56,
      controls: select("show", options, String(chosen), (value) => {
        chosen = Number(value);
        remember("distribution", nameOf(chosen));
        draw();
        element.querySelector("select")?.focus();
      }),
      table: figures(chosen),
      option: () => spreadOption(all[chosen], names(chosen), humanName(column)),
    });
    element.replaceChildren(made.element);
  };
  draw();
  return element;
}

/** Side by side, if there are two. */
function groupCards(report: Report): Child {
  const { categories, countries } = report.explore;
  const made = [
    groupCard(report, categories, "category", "categories"),
    groupCard(report, countries, "country", "countries"),
  ];
  return isThere(categories) && isThere(countries) ? h("div.cards.two", null, made) : made;
}

function groupCard(
  report: Report,
  figures: Maybe<GroupFigures>,
  by: GroupName,
  name: string,
): Child {
  if (!isThere(figures))
    return card(
      cardHead(sentence(name)),
      partial(reason(figures, name).replace(/no such column$/, `no column of ${name}`)),
    );
  const { measure } = report.explore;
  const names = report.groups[by];
  const rows = figures.group.map((group, i) => ({
    name: names[group] ?? "(none)",
    value: figures.measure[i],
    low: figures.measure_low[i],
    high: figures.measure_high[i],
    n: figures.n_measured?.[i] ?? figures.n[i],
  }));
  const total = figures.n.reduce((sum, n) => sum + n, 0);
  const measured = rows.reduce((sum, row) => sum + row.n, 0);
  const show = (value: unknown) => withUnit(value as number, measure.unit);
  const what = humanName(measure.name);
  return chartCard({
    title: leadingText(by, rows, what, show) ?? `Median ${what} by ${by}`,
    subtitle: `median ${what} and its 95 % interval; ${measured < total ? `${whole(measured)} of ` : ""}${plural(total, "account")}${measured < total ? ", of which it is known" : ""}, n beside each ${by}`,
    reading: `Point: the median of a ${by}; line: where its true median lies in 95 of 100 cases. Where two lines overlap, the order may be chance.${fewText(rows)}`,
    name,
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: by },
        { title: "accounts", show: (n) => whole(n as number) },
        { title: `with ${humanName(measure.name)}`, show: (n) => whole(n as number) },
        { title: "share", show: (share) => percent(share as number) },
        { title: "followers", show: (n) => compact(n as number) },
        { title: humanName(measure.name), show },
        { title: "low", show },
        { title: "high", show },
      ],
      rows: figures.group.map((group, i) => [
        names[group] ?? "(none)",
        figures.n[i],
        rows[i].n,
        figures.share[i],
        figures.followers[i],
        figures.measure[i],
        figures.measure_low[i],
        figures.measure_high[i],
      ]),
    },
    option: () =>
      dotOption(counted(ranked(rows)), {
        unit: measure.unit,
        axis: `median ${humanName(measure.name)}`,
        interval: "95 % interval",
      }),
  }).element;
}

/** Which group is highest, and which others may as well be. */
function leadingText(
  by: GroupName,
  rows: DotRow[],
  what: string,
  show: (value: unknown) => string,
): string | null {
  const [best, ...others] = ranked(rows.filter(isTelling));
  if (!best || others.length === 0) return null;
  const near = others.filter((row) => best.low === null || (row.high ?? Infinity) >= best.low);
  if (near.length > 2)
    return `No ${by} clearly leads in ${what}: the highest median is of ${best.name}, ${show(best.value)}, but ${whole(near.length)} of ${whole(others.length)} others may be higher`;
  const leads = `${sentence(best.name)} has the highest median ${what}: ${show(best.value)}`;
  return near.length === 0
    ? leads
    : `${leads}, unless ${near.map((row) => row.name).join(" or ")} does`;
}

function growthCards(report: Report): Child {
  const { growth } = report.explore;
  if (!isThere(growth)) return card(cardHead("Growth"), partial(reason(growth, "growth")));
  const monthly = (value: number | null) => withUnit(value, "percent a month");
  const drawn = trimmed(growth.histogram);
  const strays =
    growth.n - growth.histogram.counts.reduce((sum, count) => sum + count, 0) + drawn.cut;
  const histogram = chartCard({
    title: `Half of the accounts grow by more than ${monthly(growth.median)} a month; ${percent(growth.shrinking, 0)} shrink`,
    subtitle: `monthly growth of followers between snapshots ${whole(growth.months)} months apart; ${plural(growth.n, "account")}; median ${monthly(growth.low)} to ${monthly(growth.high)} (95 %)${strays ? `; ${plural(strays, "stray")} beyond the ends not drawn` : ""}`,
    reading:
      "Left of zero followers were lost, right of it won; half of the accounts lie on each side of the line at the median.",
    name: "growth",
    height: 240,
    table: histogramTable(growth.histogram, growth.unit),
    option: () =>
      histogramOption(drawn.histogram, growth.unit, "growth, percent a month", [
        { at: growth.median, name: "median" },
      ]),
  }).element;
  return [
    histogram,
    h(
      "div.cards.two",
      null,
      growthBy(report, growth.by_tier, "tier", growth),
      growthBy(report, growth.by_category, "category", growth),
    ),
    growthRows(growth),
  ];
}

function growthBy(report: Report, by: GroupMedians, name: GroupName, growth: GrowthSeen): Child {
  if (by.group.length === 0) return null;
  const rows = by.group.map((group, i) => ({
    name: report.groups[name][group] ?? "(none)",
    value: by.median[i],
    low: by.low[i],
    high: by.high[i],
    n: by.n[i],
  }));
  const show = (value: unknown) => withUnit(value as number, growth.unit);
  const isSure = (row: DotRow) =>
    isTelling(row) &&
    isSureAmong(
      rows.length,
      row.value! - growth.median,
      (row.low ?? -Infinity) - growth.median,
      (row.high ?? Infinity) - growth.median,
    );
  const apart = rows.filter(isSure);
  const [most] = apart.sort(
    (a, b) => Math.abs(b.value! - growth.median) - Math.abs(a.value! - growth.median),
  );
  const title = most
    ? `${sentence(most.name)} accounts grow ${most.value! > growth.median ? "faster" : "more slowly"} than all: ${show(most.value)} a month`
    : `No ${BY[name]} grows faster or slower than all by more than chance`;
  const made = chartCard({
    title,
    subtitle: "median monthly growth and its 95 % interval; dashed: all accounts",
    reading: `Right of the dashed line a ${BY[name]} grows faster than all accounts do. Filled: sure even as one of ${whole(rows.length)} comparisons; hollow: may be chance.`,
    name: `growth-by-${name}`,
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: name },
        { title: "accounts" },
        { title: "median", show },
        { title: "low", show },
        { title: "high", show },
      ],
      rows: rows.map((row) => [row.name, row.n, row.value, row.low, row.high]),
    },
    option: () =>
      dotOption(
        counted(name === "tier" ? rows : ranked(rows)).map((row) => ({
          ...row,
          isUnsure: !isSure(row),
        })),
        {
          unit: growth.unit,
          axis: "percent a month",
          reference: growth.median,
          interval: "95 % interval",
        },
      ),
  }).element;
  made.classList.toggle("wide", isLong(rows));
  return made;
}

function growthRows({ rows, unit }: GrowthSeen): Child {
  const spec: TableSpec = {
    columns: [
      { title: "account", show: handleLink },
      { title: "followers", show: (n) => compact(n as number) },
      { title: "before", show: (n) => compact(n as number) },
      { title: "a month", show: (value) => withUnit(value as number, unit) },
    ],
    rows: rows.handle.map((handle, i) => [
      handle,
      rows.followers[i],
      rows.previous[i],
      rows.growth[i],
    ]),
  };
  const odd = rows.growth.some((value) => value !== null && Math.abs(value) > 20);
  return card(
    cardHead("Fastest and slowest", "the 15 at each end"),
    odd &&
      note(
        "info",
        "Jumps of more than 20 % a month are often a handle that changed hands, or a count that was mended.",
      ),
    table(spec, "Fastest and slowest growing accounts", 10),
  );
}
