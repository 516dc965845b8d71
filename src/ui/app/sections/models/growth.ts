// SPDX-License-Identifier: Apache-2.0
// The growth forecast: what its order is worth, who is ranked first, and how sizes differ.

import { card, cardHead, chartCard } from "../../chart";
import { dotHeight, dotOption, type DotRow } from "../../charts/dots";
import { h, type Child } from "../../dom";
import { compact, percent, plain, plural, whole } from "../../format";
import {
  isThere,
  reason,
  type GrowthForecast,
  type GrowthModel,
  type Num,
  type Report,
} from "../../report";
import { partial } from "../../states";
import { askAbout, clickHint, handleLink } from "../../table";
import { wilson } from "./score";

const SHOWN = 20;

export function growthCards(report: Report, model: GrowthModel): Child {
  const { forecast } = model;
  return [
    worthCard(report, model),
    h(
      "div.cards.two",
      null,
      tenthsCard(model),
      missCard(model),
      coverageCard(report, model),
      isThere(forecast) && sizesCard(report, model, forecast),
    ),
    isThere(forecast)
      ? rankedCard(report, forecast)
      : card(cardHead("No forecast is given"), partial(reason(forecast, "forecast"))),
  ];
}

/** A logarithm of the ratio, times a hundred, as the fraction it is. */
function fraction(value: Num): Num {
  return value === null ? null : Math.expm1(value / 100);
}

/** +1.21 % */
function grown(value: Num, decimals?: number): string {
  return value === null ? "–" : `${value > 0 ? "+" : ""}${percent(value, decimals)}`;
}

const show = (value: unknown) => grown(value as Num, 2);

/** Bounds of a rank correlation at 95 %, by Fisher's z (Fieller and others 1957). */
function bounds(rho: Num, n: number): [Num, Num] {
  if (rho === null || n < 10 || Math.abs(rho) >= 1) return [null, null];
  const half = 1.96 * Math.sqrt(1.06 / (n - 3));
  return [Math.tanh(Math.atanh(rho) - half), Math.tanh(Math.atanh(rho) + half)];
}

const FINDING: Record<GrowthModel["strength"], string> = {
  none: "Growth cannot be ranked better than by chance",
  weak: "Who grows more is hardly to be foreseen",
  fair: "Who grows more can be foreseen in part",
  clear: "Who grows more can be foreseen",
};

function worthCard(report: Report, model: GrowthModel): Child {
  const { by_tier: by, earlier } = model;
  const rows: DotRow[] = [
    {
      name: "all accounts",
      value: model.spearman,
      low: model.spearman_low,
      high: model.spearman_high,
      n: model.n,
    },
  ];
  by.group.forEach((group, i) => {
    const [low, high] = bounds(by.spearman[i], by.n[i]);
    if (by.group.length > 1 && by.spearman[i] !== null)
      rows.push({
        name: report.groups.tier[group] ?? "(none)",
        value: by.spearman[i],
        low,
        high,
        n: by.n[i],
      });
  });
  if (isThere(earlier)) {
    const [low, high] = bounds(earlier.spearman, earlier.n);
    rows.push({
      name: `learnt ${earlier.base} to ${earlier.until}`,
      value: earlier.spearman,
      low,
      high,
      n: earlier.n,
    });
  }
  return chartCard({
    title: `${FINDING[model.strength]}: rank correlation ${plain(model.spearman)}`,
    subtitle: `forecast against growth from ${model.base} to ${model.until}, ${plural(model.n, "held-out account")}, by size; 0 (dashed) is chance, 1 the exact order; 95 % intervals`,
    reading: isThere(earlier)
      ? `The last row was learnt from the period before and judged on this one${earlier.had_growth ? "" : ", without an earlier growth to go by"}: so much of the order holds when time goes on.`
      : "The farther right of the dashed line, the better the forecast ranks; an interval that reaches it may as well be chance.",
    name: "growth-worth",
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: "accounts" },
        { title: "n", show: (n) => whole(n as number) },
        ...["rank correlation", "low", "high"].map((title) => ({
          title,
          show: (value: unknown) => plain(value as Num),
        })),
      ],
      rows: rows.map((row) => [row.name, row.n ?? null, row.value, row.low, row.high]),
    },
    option: () => {
      const option = dotOption(rows, {
        unit: "ratio",
        axis: "rank correlation",
        reference: 0,
        interval: "95 % interval",
      });
      return { ...option, xAxis: { ...(option.xAxis as object), scale: false } }; // zero is chance: it must be seen
    },
  }).element;
}

/** Linear between order statistics. */
function quantile(sorted: number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

interface Part {
  name: string;
  n: number;
  median: number;
  low: number;
  high: number;
}

/** Held-out accounts by the place of their forecast, in parts of equal size, highest first. */
function byPlace({ predicted }: GrowthModel): Part[] {
  const order = predicted.predicted
    .map((_, i) => i)
    .sort((a, b) => predicted.predicted[b] - predicted.predicted[a]);
  const parts = order.length >= 200 ? 10 : 5;
  return Array.from({ length: parts }, (_, part) => {
    const members = order.slice(
      Math.round((part * order.length) / parts),
      Math.round(((part + 1) * order.length) / parts),
    );
    const actual = members.map((i) => fraction(predicted.actual[i])!).sort((a, b) => a - b);
    const place = `${whole((100 * part) / parts)} to ${whole((100 * (part + 1)) / parts)} %`;
    return {
      name:
        part === 0
          ? `foremost ${100 / parts} %`
          : part === parts - 1
            ? `last ${100 / parts} %`
            : place,
      n: members.length,
      median: quantile(actual, 0.5),
      low: quantile(actual, 0.25),
      high: quantile(actual, 0.75),
    };
  });
}

function tenthsCard(model: GrowthModel): Child {
  const parts = byPlace(model);
  const [first, last] = [parts[0], parts[parts.length - 1]];
  return chartCard({
    title: `The ${first.name} of its ranking grew by ${grown(first.median, 1)} in the median, the ${last.name} by ${grown(last.median, 1)}`,
    subtitle: `what followers did from ${model.base} to ${model.until}, by the place of the forecast; median and middle half; ${plural(model.predicted.shown, "held-out account")}`,
    reading:
      "The more the medians fall from the first row to the last, the more the order of the forecast is worth; where the bars overlap, single accounts change places.",
    name: "growth-by-place",
    height: dotHeight(parts.length),
    table: {
      columns: [
        { title: "place" },
        { title: "accounts" },
        { title: "median", show },
        { title: "25 %", show },
        { title: "75 %", show },
      ],
      rows: parts.map((part) => [part.name, part.n, part.median, part.low, part.high]),
    },
    option: () =>
      dotOption(
        parts.map((part) => ({
          name: part.name,
          value: part.median,
          low: part.low,
          high: part.high,
          n: part.n,
        })),
        {
          unit: "fraction",
          axis: `growth in ${plural(model.months, "month")}`,
          reference: 0,
          interval: "middle half",
        },
      ),
  }).element;
}

function missCard({ mae, baseline, earlier, months }: GrowthModel): Child {
  const rows: [string, Num][] = [
    ["the forecast", mae],
    ["always the median", baseline.mae],
  ];
  if (isThere(earlier))
    rows.push(
      [`learnt ${earlier.base} to ${earlier.until}`, earlier.mae],
      ["always that period's median", earlier.baseline_mae],
    );
  const saved = mae !== null && baseline.mae ? 1 - mae / baseline.mae : null;
  const worse =
    isThere(earlier) &&
    earlier.mae !== null &&
    earlier.baseline_mae !== null &&
    earlier.mae > earlier.baseline_mae;
  const title =
    saved !== null && saved > 0.005
      ? `How much an account grows it tells ${percent(saved, 0)} better than always saying the median`
      : "How much an account grows it tells no better than always saying the median";
  return chartCard({
    title,
    subtitle: `mean error over ${plural(months, "month")}, in percent of the followers (100 ln ratio, nearly the same); shorter is better`,
    reading: worse
      ? "A model of the period before misses this one by more than its median would: trust the order, not the size."
      : "What the forecast saves against always naming the median is all that it knows of the size of growth.",
    name: "growth-error",
    height: dotHeight(rows.length),
    table: {
      columns: [{ title: "answer" }, { title: "mean error", show: (value) => plain(value as Num) }],
      rows,
    },
    option: () =>
      dotOption(
        rows.map(([name, value]) => ({ name, value, low: null, high: null })),
        { unit: "ratio", axis: "mean error", bars: true, interval: "" },
      ),
  }).element;
}

function coverageCard(report: Report, model: GrowthModel): Child {
  const { coverage, by_tier: by, earlier } = model;
  const row = (name: string, value: Num, n: number): DotRow => {
    const [low, high] = value === null || n === 0 ? [null, null] : wilson(value, n);
    return { name, value, low, high, n };
  };
  const rows = by.group.map((group, i) =>
    row(report.groups.tier[group] ?? "(none)", by.observed[i], by.n[i]),
  );
  if (isThere(earlier))
    rows.push(row(`learnt ${earlier.base} to ${earlier.until}`, earlier.observed, earlier.n));
  return chartCard({
    title: `${percent(coverage.stated, 0)} intervals held ${percent(coverage.observed, 0)} of the time within the period${isThere(earlier) ? `, ${percent(earlier.observed, 0)} across periods` : ""}`,
    subtitle: "share of held-out accounts whose growth lay inside, by size; dashed: as stated",
    reading:
      "On the dashed line the intervals hold what they say; left of it they are too narrow, so trust them less.",
    name: "growth-coverage",
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: "size" },
        { title: "accounts" },
        { title: "inside", show: (value) => percent(value as Num) },
      ],
      rows: rows.map((row) => [row.name, row.n ?? null, row.value]),
    },
    option: () =>
      dotOption(rows, {
        unit: "fraction",
        axis: "share inside the interval",
        reference: coverage.stated,
        interval: "95 % interval",
      }),
  }).element;
}

function sizesCard(
  report: Report,
  model: GrowthModel,
  { by_tier: by, months, n }: GrowthForecast,
): Child {
  const rows: DotRow[] = by.group.map((group, i) => ({
    name: report.groups.tier[group] ?? "(none)",
    value: by.median[i],
    low: by.q05[i],
    high: by.q95[i],
    n: by.n[i],
  }));
  const sure = by.group.map((_, i) => i).filter((i) => by.median[i] !== null && by.n[i] >= 20);
  const best =
    sure.length > 1 ? sure.reduce((a, b) => (by.median[b]! > by.median[a]! ? b : a)) : null;
  // The middle half of every other size reaches the best one's median.
  const alike = best !== null && sure.every((i) => by.q75[i]! >= by.median[best]!);
  const low = Math.min(...sure.map((i) => by.median[i]!));
  const finding = alike
    ? `Sizes hardly differ in what is expected: medians from ${grown(low, 1)} to ${grown(best === null ? null : by.median[best], 1)}`
    : `Most is expected of accounts of ${best === null ? "" : rows[best].name}: ${grown(best === null ? null : by.median[best], 1)} in the median`;
  return chartCard({
    title: best === null ? "The forecast by size" : finding,
    subtitle: `forecasts for the ${plural(months, "month")} after ${model.until}: median, and where 9 of 10 accounts lie; ${plural(n, "account")}`,
    reading:
      "Point: the middle forecast of a size; line: nine of ten of its accounts. Right of the dashed line followers are expected to grow.",
    name: "growth-by-size",
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: "size" },
        { title: "accounts" },
        ...["5 %", "25 %", "median", "75 %", "95 %"].map((title) => ({ title, show })),
      ],
      rows: by.group.map((group, i) => [
        report.groups.tier[group] ?? "(none)",
        by.n[i],
        by.q05[i],
        by.q25[i],
        by.median[i],
        by.q75[i],
        by.q95[i],
      ]),
    },
    option: () =>
      dotOption(rows, {
        unit: "fraction",
        axis: `growth in ${plural(months, "month")}`,
        reference: 0,
        interval: "9 of 10 accounts",
      }),
  }).element;
}

function rankedCard(report: Report, { rows, n, months, coverage }: GrowthForecast): Child {
  const dots: DotRow[] = rows.handle.slice(0, SHOWN).map((handle, i) => ({
    name: handle ?? "account",
    value: rows.forecast[i],
    low: rows.low[i],
    high: rows.high[i],
  }));
  const unsure = rows.forecast
    .slice(0, SHOWN)
    .filter((_, i) => (rows.low[i] ?? 0) < 0 && (rows.high[i] ?? 0) > 0).length;
  return chartCard({
    title: `${rows.handle[0] ?? "The first account"} is expected to grow most: ${grown(rows.forecast[0] ?? null, 1)} in ${plural(months, "month")}`,
    subtitle: `the ${whole(dots.length)} accounts ranked highest of ${whole(n)}, with ${percent(coverage, 0)} intervals; the table has ${whole(rows.handle.length)}`,
    reading: `${unsure > 0 ? `${plural(unsure, "interval")} of these ${whole(dots.length)} reach across zero (dashed): such an account may as well shrink. ` : ""}Lean on the order rather than on the size.${clickHint()}`,
    name: "growth-ranked",
    height: dotHeight(dots.length),
    table: {
      columns: [
        { title: "account", show: handleLink },
        { title: "followers", show: (value) => compact(value as number) },
        { title: "size" },
        { title: "category" },
        ...["forecast", "low", "high"].map((title) => ({ title, show })),
      ],
      rows: rows.handle.map((handle, i) => [
        handle,
        rows.followers[i],
        report.groups.tier[rows.tier[i]] ?? "–",
        report.groups.category[rows.category[i]] ?? "–",
        rows.forecast[i],
        rows.low[i],
        rows.high[i],
      ]),
    },
    option: () =>
      dotOption(dots, {
        unit: "fraction",
        axis: `growth in ${plural(months, "month")}`,
        reference: 0,
        interval: `${percent(coverage, 0)} interval`,
      }),
    onClick: (event) => {
      const handle = rows.handle[event.dataIndex];
      if (handle) askAbout(handle);
    },
  }).element;
}
