// SPDX-License-Identifier: Apache-2.0
// The score model: predicted against actual, coverage, residuals, dependence.

import { grid, tipRows, tooltip, valueAxis, whiskers } from "../../axes";
import { card, cardHead, chartCard } from "../../chart";
import { dotHeight, dotOption } from "../../charts/dots";
import { histogramOption, histogramTable } from "../../charts/histogram";
import { h, type Child } from "../../dom";
import { change, percent, plain, plural, points, sentence, whole } from "../../format";
import { isThere, reason, type Coverage, type GroupName, type Predicted, type Report, type Residuals, type ScoreModel } from "../../report";
import { partial } from "../../states";
import { handleLink } from "../../table";
import { orderedColours, theme } from "../../theme";
import { metric } from "../overview";
import { dependenceCard } from "./dependence";
import { interactionCard } from "./interaction";

export function scoreCards(report: Report, model: ScoreModel): Child {
  if (model.target === "composite") return null;
  const { predicted, coverage, residuals } = model;
  return [
    isThere(predicted) ? predictedCard(report, model, predicted) : missing("Predicted against actual", predicted, "predicted"),
    h(
      "div.cards.two",
      null,
      isThere(coverage) ? coverageCard(report, coverage) : missing("Intervals", coverage, "coverage"),
      isThere(residuals) ? residualHistogram(model, residuals.histogram) : missing("Errors", residuals, "residuals"),
      isThere(residuals) && biasCard(report, residuals.by_tier, "tier"),
      isThere(residuals) && biasCard(report, residuals.by_category, "category"),
    ),
    dependenceCard(model),
    interactionCard(model),
  ];
}

function missing(title: string, part: Parameters<typeof reason>[0], name: string): Child {
  return card(cardHead(title), partial(reason(part, name)));
}

function predictedCard(report: Report, model: ScoreModel, predicted: Predicted): Child {
  const all = [...predicted.actual, ...predicted.predicted];
  // Whole fives, so that the axes read well.
  const [low, high] = [5 * Math.floor(Math.min(...all) / 5), 5 * Math.ceil(Math.max(...all) / 5)];
  const r2 = metric(model, "r2");
  const dots = predicted.actual.map((actual, i) => [actual, predicted.predicted[i], i]);
  // Intervals of all rows would be a carpet: every so manieth, evenly.
  const step = Math.ceil(dots.length / 60);
  const sampled = dots.filter((_, i) => i % step === 0).map(([actual, , i]) => [actual, predicted.low[i], predicted.high[i]]);
  return chartCard({
    title: r2 === null ? "Predicted against actual score" : r2 < 0.3 ? "Predictions keep near the middle: most of the spread stays unexplained" : "Predictions follow the actual score",
    subtitle: `${model.target.replace(/_/g, " ")}, ${model.unit || "points"}; ${predicted.shown < predicted.n ? `${whole(predicted.shown)} of ` : ""}${plural(predicted.n, "account")}; whiskers: intervals of ${whole(sampled.length)} of them; darker: more followers`,
    reading: "On the dashed line a prediction is exact; above it, it is too high. Click a point to ask about it.",
    name: "predicted",
    height: 420,
    table: {
      columns: [{ title: "account", show: handleLink }, ...["actual", "predicted", "low", "high"].map((title) => ({ title, show: (value: unknown) => points(value as number) })), { title: "error", show: (value) => change(value as number) }],
      rows: predicted.actual.map((actual, i) => [predicted.handle[i], actual, predicted.predicted[i], predicted.low[i], predicted.high[i], predicted.predicted[i] - actual]),
    },
    option: () => {
      const colours = theme();
      const tiers = orderedColours(report.groups.tier.length);
      return {
        grid: grid(),
        xAxis: valueAxis("actual", "points", { min: low, max: high }),
        yAxis: valueAxis("predicted", "points", { min: low, max: high, nameGap: 36 }),
        tooltip: tooltip((event) => {
          const i = event.data?.[2];
          if (event.seriesName !== "accounts") return null;
          const interval = predicted.low[i] === null ? "–" : `${points(predicted.low[i])} to ${points(predicted.high[i])}`;
          return tipRows(predicted.handle[i] ?? "account", [["actual", points(predicted.actual[i])], ["predicted", points(predicted.predicted[i])], ["interval", interval]]);
        }),
        series: [
          { type: "line", silent: true, showSymbol: false, data: [[low, low], [high, high]], lineStyle: { color: colours.ghost, type: "dashed", width: 1 } },
          whiskers(sampled, false, { z: 2, opacity: 0.35 }),
          {
            name: "accounts",
            type: "scatter",
            z: 3,
            data: dots,
            cursor: "pointer",
            symbolSize: dots.length > 1500 ? 5 : 7,
            itemStyle: { color: (item: { data: number[] }) => tiers[predicted.tier[item.data[2]]] ?? colours.accent, opacity: 0.6 },
          },
        ],
      };
    },
    onClick: (event) => {
      const handle = event.data?.[2] !== undefined ? predicted.handle[event.data[2]] : null;
      if (handle) location.hash = `#/ask?handle=${encodeURIComponent(handle)}`;
    },
  }).element;
}

/** Wilson's interval of a share at 95 %. */
export function wilson(share: number, n: number): [number, number] {
  const z = 1.96;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [middle - half, middle + half];
}

function coverageCard(report: Report, coverage: Coverage): Child {
  const { by_tier: by } = coverage;
  const rows = by.group.map((group, i) => {
    const observed = by.observed[i];
    const [low, high] = observed === null || by.n[i] === 0 ? [null, null] : wilson(observed, by.n[i]);
    return { name: report.groups.tier[group] ?? "(none)", value: observed, low, high, n: by.n[i] };
  });
  return chartCard({
    title: `${percent(coverage.stated, 0)} intervals held ${percent(coverage.observed)} of the time`,
    subtitle: `share of true scores inside, by size; ${plural(coverage.n, "account")}; mean width ${points(coverage.width)} points; dashed: as stated`,
    name: "coverage",
    height: dotHeight(rows.length),
    table: { columns: [{ title: "size" }, { title: "accounts" }, { title: "inside", show: (value) => percent(value as number) }, { title: "mean width", show: (value) => points(value as number) }], rows: by.group.map((group, i) => [report.groups.tier[group] ?? "(none)", by.n[i], by.observed[i], by.width[i]]) },
    option: () => dotOption(rows, { unit: "fraction", axis: "share inside the interval", reference: coverage.stated, interval: "95 % interval" }),
  }).element;
}

function residualHistogram(model: ScoreModel, histogram: NonNullable<Extract<ScoreModel["residuals"], { histogram: unknown }>>["histogram"]): Child {
  const mae = metric(model, "mae");
  return chartCard({
    title: `It is off by ${points(mae)} points on average`,
    subtitle: "predicted minus actual, points; right of zero: too high",
    name: "residuals",
    height: 200,
    table: histogramTable(histogram, "points"),
    option: () => histogramOption(histogram, "points", "error, points", [{ at: 0, name: "exact" }]),
  }).element;
}

function biasCard(report: Report, residuals: Residuals, by: GroupName): Child {
  if (residuals.group.length === 0) return null;
  const names = report.groups[by];
  const rows = residuals.group.map((group, i) => ({ name: names[group] ?? "(none)", value: residuals.median[i], low: residuals.q05[i], high: residuals.q95[i], n: residuals.n[i] }));
  const worst = residuals.bias.map((bias, i) => ({ bias: bias ?? 0, i })).reduce((a, b) => (Math.abs(b.bias) > Math.abs(a.bias) ? b : a));
  const show = (value: unknown) => change(value as number, 1);
  return chartCard({
    title: Math.abs(worst.bias) < 0.5 ? `No ${by === "tier" ? "size" : by} is judged too high or too low` : `${sentence(names[residuals.group[worst.i]] ?? "some")}: judged ${plain(Math.abs(worst.bias))} points too ${worst.bias > 0 ? "high" : "low"} on average`,
    subtitle: `error by ${by === "tier" ? "size" : by}: median, and where 9 of 10 errors lie; points`,
    name: `residuals-by-${by}`,
    height: dotHeight(rows.length),
    table: { columns: [{ title: by }, { title: "accounts" }, { title: "bias", show }, { title: "mean error", show: (value) => points(value as number) }, { title: "5 %", show }, { title: "median", show }, { title: "95 %", show }], rows: residuals.group.map((group, i) => [names[group] ?? "(none)", residuals.n[i], residuals.bias[i], residuals.mae[i], residuals.q05[i], residuals.median[i], residuals.q95[i]]) },
    option: () => dotOption(rows, { unit: "points", axis: "error, points", reference: 0, interval: "9 of 10 errors" }),
  }).element;
}

