// SPDX-License-Identifier: Apache-2.0
// The score model: predicted against actual, coverage, residuals, dependence.

import { grid, tipRows, tooltip, valueAxis, whiskers } from "../../axes";
import { card, cardHead, chartCard } from "../../chart";
import { counted, dotHeight, dotOption, fewText, isLong, ranked } from "../../charts/dots";
import { histogramOption, histogramTable } from "../../charts/histogram";
import { h, type Child } from "../../dom";
import { percent, plural, sentence, whole } from "../../format";
import {
  isFormula,
  isThere,
  reason,
  type Coverage,
  type GroupName,
  type Predicted,
  type Report,
  type Residuals,
  type ScoreModel,
} from "../../report";
import { partial } from "../../states";
import { askAbout, clickHint, handleLink } from "../../table";
import { orderedColours, theme } from "../../theme";
import { unitOf, type Unit } from "../../unit";
import { metric } from "../overview";
import { dependenceCard } from "./dependence";
import { interactionCard } from "./interaction";

export function scoreCards(report: Report, model: ScoreModel): Child {
  if (isFormula(model)) return null;
  const { predicted, coverage, residuals } = model;
  const unit = unitOf(model);
  return [
    isThere(predicted)
      ? predictedCard(report, model, predicted, unit)
      : missing("Predicted against actual", predicted, "predicted"),
    h(
      "div.cards.two",
      null,
      isThere(coverage)
        ? coverageCard(report, coverage, unit)
        : missing("Intervals", coverage, "coverage"),
      isThere(residuals)
        ? residualHistogram(model, residuals.histogram, unit)
        : missing("Errors", residuals, "residuals"),
      isThere(residuals) && biasCard(report, residuals.by_tier, "tier", unit),
      isThere(residuals) && biasCard(report, residuals.by_category, "category", unit),
    ),
    dependenceCard(model),
    interactionCard(model),
  ];
}

function missing(title: string, part: Parameters<typeof reason>[0], name: string): Child {
  return card(cardHead(title), partial(reason(part, name)));
}

function predictedCard(
  report: Report,
  model: ScoreModel,
  predicted: Predicted,
  { axis, name, show, change }: Unit,
): Child {
  const r2 = metric(model, "r2");
  const dots = predicted.actual.map((actual, i) => [actual, predicted.predicted[i], i]);
  // Intervals of all rows would be a carpet: every so manieth, evenly.
  const step = Math.ceil(dots.length / 60);
  const sampled = dots
    .filter((_, i) => i % step === 0)
    .map(([actual, , i]) => [actual, predicted.low[i], predicted.high[i]]);
  const all = [...predicted.actual, ...predicted.predicted, ...sampled.flat()].filter(
    (value): value is number => value !== null,
  );
  const [low, high] = roundEnds(
    all.reduce((a, b) => Math.min(a, b)),
    all.reduce((a, b) => Math.max(a, b)),
  );
  return chartCard({
    title:
      r2 === null
        ? "Predicted against actual score"
        : r2 < 0.3
          ? "Predictions keep near the middle: most of the spread stays unexplained"
          : "Predictions follow the actual score",
    subtitle: `${model.target.replace(/_/g, " ")}, ${name}; ${predicted.shown < predicted.n ? `${whole(predicted.shown)} of ` : ""}${plural(predicted.n, "account")}; whiskers: intervals of ${whole(sampled.length)} of them; the stronger the colour, the more followers`,
    reading: `On the dashed line a prediction is exact; above it, it is too high.${clickHint()}`,
    name: "predicted",
    height: 420,
    table: {
      columns: [
        { title: "account", show: handleLink },
        ...["actual", "predicted", "low", "high"].map((title) => ({
          title,
          show: (value: unknown) => show(value as number),
        })),
        { title: "error", show: (value) => change(value as number) },
      ],
      rows: predicted.actual.map((actual, i) => [
        predicted.handle[i],
        actual,
        predicted.predicted[i],
        predicted.low[i],
        predicted.high[i],
        predicted.predicted[i] - actual,
      ]),
    },
    option: () => {
      const colours = theme();
      const tiers = orderedColours(report.groups.tier.length);
      return {
        grid: grid(),
        xAxis: valueAxis("actual", axis, { min: low, max: high }),
        yAxis: valueAxis("predicted", axis, { min: low, max: high, nameGap: 36 }),
        tooltip: tooltip((event) => {
          const i = event.data?.[2];
          if (event.seriesName !== "accounts") return null;
          const interval =
            predicted.low[i] === null
              ? "–"
              : `${show(predicted.low[i])} to ${show(predicted.high[i])}`;
          return tipRows(predicted.handle[i] ?? "account", [
            ["actual", show(predicted.actual[i])],
            ["predicted", show(predicted.predicted[i])],
            ["interval", interval],
          ]);
        }),
        series: [
          {
            type: "line",
            silent: true,
            showSymbol: false,
            data: [
              [low, low],
              [high, high],
            ],
            lineStyle: { color: colours.ghost, type: "dashed", width: 1 },
          },
          whiskers(sampled, false, { z: 2, opacity: 0.35 }),
          {
            name: "accounts",
            type: "scatter",
            progressive: 0,
            z: 3,
            data: dots,
            cursor: "pointer",
            symbolSize: dots.length > 1500 ? 5 : 7,
            itemStyle: {
              color: (item: { data: number[] }) =>
                tiers[predicted.tier[item.data[2]]] ?? colours.accent,
              opacity: 0.6,
            },
          },
        ],
      };
    },
    onClick: (event) => {
      const handle = event.data?.[2] !== undefined ? predicted.handle[event.data[2]] : null;
      if (handle) askAbout(handle);
    },
  }).element;
}

/** Five of the second digit's size, so that the axes read well. */
function roundEnds(low: number, high: number): [number, number] {
  const step = 5 * 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-12)) - 1);
  return [step * Math.floor(low / step), step * Math.ceil(high / step)];
}

/** Wilson's interval of a share at 95 %. */
export function wilson(share: number, n: number): [number, number] {
  const z = 1.96;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [middle - half, middle + half];
}

function coverageCard(report: Report, coverage: Coverage, { name, show }: Unit): Child {
  const { by_tier: by } = coverage;
  const rows = by.group.map((group, i) => {
    const observed = by.observed[i];
    const [low, high] =
      observed === null || by.n[i] === 0 ? [null, null] : wilson(observed, by.n[i]);
    return { name: report.groups.tier[group] ?? "(none)", value: observed, low, high, n: by.n[i] };
  });
  return chartCard({
    title: `${percent(coverage.stated, 0)} intervals held ${percent(coverage.observed)} of the time`,
    subtitle: `share of true scores inside, by size; ${plural(coverage.n, "account")}; mean width ${show(coverage.width)} ${name}; dashed: as stated`,
    reading:
      "On the dashed line the intervals hold what they say; left of it they are too narrow for accounts of that size, right of it wider than they need be.",
    name: "coverage",
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: "size" },
        { title: "accounts" },
        { title: "inside", show: (value) => percent(value as number) },
        { title: "mean width", show: (value) => show(value as number) },
      ],
      rows: by.group.map((group, i) => [
        report.groups.tier[group] ?? "(none)",
        by.n[i],
        by.observed[i],
        by.width[i],
      ]),
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

function residualHistogram(
  model: ScoreModel,
  histogram: NonNullable<Extract<ScoreModel["residuals"], { histogram: unknown }>>["histogram"],
  { axis, name, show }: Unit,
): Child {
  const mae = metric(model, "mae");
  return chartCard({
    title: `It is off by ${show(mae)} ${name} on average`,
    subtitle: `predicted minus actual${name && `, ${name}`}; right of zero: too high`,
    reading:
      "The narrower the bars stand about zero, the better; a longer tail on one side means that large misses go that way.",
    name: "residuals",
    height: 200,
    table: histogramTable(histogram, axis),
    option: () =>
      histogramOption(histogram, axis, name ? `error, ${name}` : "error", [
        { at: 0, name: "exact" },
      ]),
  }).element;
}

/** Half of the 95 % interval of a group's median error, as of a normal distribution with its
 * spread. */
function medianError({ q05, q95, n }: Residuals, i: number): number {
  const sd = ((q95[i] ?? Infinity) - (q05[i] ?? -Infinity)) / 3.29;
  return n[i] > 1 ? (1.96 * 1.2533 * sd) / Math.sqrt(n[i]) : Infinity;
}

function biasCard(
  report: Report,
  residuals: Residuals,
  by: GroupName,
  { axis, name, show, change }: Unit,
): Child {
  if (residuals.group.length === 0) return null;
  const names = report.groups[by];
  const rows = residuals.group.map((group, i) => ({
    name: names[group] ?? "(none)",
    value: residuals.median[i],
    low: residuals.q05[i],
    high: residuals.q95[i],
    n: residuals.n[i],
  }));
  // The same figure as the point drawn: a mean would be that of a single stray.
  const worst = residuals.median
    .map((bias, i) => ({
      bias: bias ?? 0,
      i,
      isSure: Math.abs(bias ?? 0) > medianError(residuals, i),
    }))
    .reduce((a, b) =>
      (Number(b.isSure) - Number(a.isSure) || Math.abs(b.bias) - Math.abs(a.bias)) > 0 ? b : a,
    );
  const signed = (value: unknown) => change(value as number);
  const isFair = !worst.isSure || (axis === "points" && Math.abs(worst.bias) < 0.5);
  const made = chartCard({
    title: isFair
      ? `No ${by === "tier" ? "size" : by} is surely judged too high or too low`
      : `${sentence(names[residuals.group[worst.i]] ?? "some")}: judged ${show(Math.abs(worst.bias))} ${name} too ${worst.bias > 0 ? "high" : "low"} in the median`,
    subtitle: `error by ${by === "tier" ? "size" : by}: median, and where 9 of 10 errors lie${name && `; ${name}`}`,
    reading: `Left of the dashed line a ${by === "tier" ? "size" : by} is judged too low, right of it too high; long lines mean large misses.${fewText(rows)}`,
    name: `residuals-by-${by}`,
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: by },
        { title: "accounts" },
        { title: "bias", show: signed },
        { title: "mean error", show: (value) => show(value as number) },
        { title: "5 %", show: signed },
        { title: "median", show: signed },
        { title: "95 %", show: signed },
      ],
      rows: residuals.group.map((group, i) => [
        names[group] ?? "(none)",
        residuals.n[i],
        residuals.bias[i],
        residuals.mae[i],
        residuals.q05[i],
        residuals.median[i],
        residuals.q95[i],
      ]),
    },
    option: () =>
      dotOption(counted(by === "tier" ? rows : ranked(rows)), {
        unit: axis,
        axis: name ? `error, ${name}` : "error",
        reference: 0,
        interval: "9 of 10 errors",
      }),
  }).element;
  made.classList.toggle("wide", isLong(rows));
  return made;
}
