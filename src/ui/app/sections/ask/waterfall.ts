// SPDX-License-Identifier: Apache-2.0
// Why this score: from the base, what each feature adds or takes away, to the score. A formula
// starts from nothing, and each of its parts adds its weight times its percentile.

import type { Profile, ScoreAnswer } from "../../api";
import { categoryAxis, fewTicks, grid, rowLabels, tipRows, tooltip, valueAxis } from "../../axes";
import { chartCard } from "../../chart";
import { fileName } from "../../dom";
import type { Option } from "../../echarts";
import { figureName, percent, points, sentence } from "../../format";
import { isFormula, type Report } from "../../report";
import { nameCell } from "../../table";
import { theme } from "../../theme";
import { scoreScale, type Scale } from "./scale";

const MAX_STEPS = 9;
const LABEL_PX = 190;

interface Contribution {
  /** As the model calls it, for the export. */
  key: string;
  name: string;
  points: number;
  /** Of a formula's part. */
  percentile?: number;
  weight?: number;
}

interface Step {
  name: string;
  from: number;
  to: number;
  kind: "total" | "up" | "down";
}

/** "country=Spain", "country=Brazil", ...: one figure of the account, so one contribution. */
function ofModel(answer: ScoreAnswer, profile: Profile): Contribution[] {
  const sums = new Map<string, Contribution>();
  for (const { feature, points } of answer.explanation?.contributions ?? []) {
    const key = feature.split("=")[0];
    const name =
      feature === key ? figureName(feature) : `${figureName(key)}: ${profile[key] ?? "not given"}`;
    sums.set(key, { key, name, points: (sums.get(key)?.points ?? 0) + points });
  }
  return [...sums.values()].sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
}

function ofFormula(answer: ScoreAnswer): Contribution[] {
  return Object.entries(answer.composite.parts)
    .map(([name, { percentile, weight }]) => ({
      key: name,
      name,
      points: weight * percentile,
      percentile,
      weight,
    }))
    .sort((a, b) => b.points - a.points);
}

function stepsOf(contributions: Contribution[], base: number, answer: ScoreAnswer): Step[] {
  const shown =
    contributions.length > MAX_STEPS + 1 ? contributions.slice(0, MAX_STEPS) : contributions;
  const rest = contributions.slice(shown.length).reduce((sum, item) => sum + item.points, 0);
  const parts = shown.map(({ name, points }) => ({ name, points }));
  if (contributions.length > shown.length)
    parts.push({ name: `${contributions.length - shown.length} smaller ones`, points: rest });
  let sum = base;
  const result: Step[] = isFormula(answer)
    ? []
    : [{ name: "average of all", from: base, to: base, kind: "total" }];
  for (const part of parts) {
    result.push({
      name: part.name,
      from: sum,
      to: sum + part.points,
      kind: part.points < 0 ? "down" : "up",
    });
    sum += part.points;
  }
  result.push({ name: "this score", from: answer.score, to: answer.score, kind: "total" });
  return result;
}

function finding(
  contributions: Contribution[],
  isOfFormula: boolean,
  { name, show, change }: Scale,
): string {
  const [first, second] = contributions;
  const size = (item: Contribution) => show(Math.abs(item.points));
  if (isOfFormula)
    return sentence(
      `${first.name} gives ${size(first)} of the points${second ? `, ${second.name} ${size(second)}` : ""}`,
    );
  const one = `${first.name} ${change(first.points)} ${name}`.trimEnd();
  return sentence(second ? `${one}, ${second.name} ${change(second.points)}` : one);
}

/** `who`: whose score it is, for the reader of an exported picture. null where nothing explains
 * it. */
export function waterfallCard(
  report: Report,
  answer: ScoreAnswer,
  profile: Profile,
  who: string,
): HTMLElement | null {
  const isOfFormula = isFormula(answer);
  const contributions = isOfFormula ? ofFormula(answer) : ofModel(answer, profile);
  if (contributions.length === 0) return null;
  const base = isOfFormula ? 0 : answer.explanation!.base;
  const list = stepsOf(contributions, base, answer);
  const scale = scoreScale(report, answer);
  const { show } = scale;
  return chartCard({
    title: finding(contributions, isOfFormula, scale),
    subtitle: isOfFormula
      ? `${who}: points of each part, its percentile among all accounts times its weight; they sum to ${show(answer.score)}`
      : `${who}: ${scale.name || "what is"} added to the average of ${show(base)}; they sum to ${show(answer.score)}`,
    reading: isOfFormula
      ? "The formula itself, without estimate: a part at percentile 100 gives its whole weight."
      : "Exact shares of this model's answer, not causes: changing a figure in the world need not change the score so.",
    name: `contributions-${fileName(who)}`,
    height: 26 * list.length + 48,
    table: isOfFormula
      ? {
          columns: [
            { title: "part" },
            { title: "percentile", show: (value) => points(value as number) },
            { title: "weight", show: (value) => percent(value as number, 0) },
            { title: "points", show: (value) => scale.change(value as number) },
          ],
          rows: contributions.map((item) => [
            item.name,
            item.percentile ?? null,
            item.weight ?? null,
            item.points,
          ]),
        }
      : {
          columns: [
            { title: "feature", show: nameCell },
            { title: scale.name || "adds", show: (value) => scale.change(value as number) },
          ],
          rows: contributions.map((item) => [item.key, item.points]),
        },
    option: () => drawing(list, scale, isOfFormula),
  }).element;
}

function drawing(list: Step[], scale: Scale, isFromZero: boolean): Option {
  const { show } = scale;
  const colours = theme();
  const colour = { up: colours.good, down: colours.bad, total: colours.ink };
  const text = (value: string, x: number, y: number) => ({
    type: "text",
    style: {
      text: value,
      x,
      y,
      verticalAlign: "middle",
      fill: colours.ink,
      fontSize: 12,
      fontFamily: "system-ui, sans-serif",
    },
  });
  const renderItem = (_: unknown, api: any) => {
    const index = api.value(0);
    const step = list[index];
    const [a, b] = [api.coord([step.from, index]), api.coord([step.to, index])];
    const half = 8;
    if (step.kind === "total")
      return {
        type: "group",
        children: [
          { type: "circle", shape: { cx: b[0], cy: b[1], r: 5 }, style: { fill: colour.total } },
          text(show(step.to), b[0] + 10, b[1]),
        ],
      };
    const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    return {
      type: "group",
      children: [
        {
          type: "line",
          shape: { x1: a[0], x2: a[0], y1: a[1] - 18, y2: a[1] + half },
          style: { stroke: colours.line },
        },
        {
          type: "rect",
          shape: {
            x: left,
            y: a[1] - half,
            width: Math.max(right - left, 1.5),
            height: 2 * half,
            r: 1,
          },
          style: { fill: colour[step.kind] },
        },
        text(scale.change(step.to - step.from), right + 6, a[1]),
      ],
    };
  };
  const names = list.map((step) => step.name);
  return {
    grid: grid({ right: 56 }),
    xAxis: valueAxis("", scale.axis, { ...fewTicks(), ...(isFromZero ? { min: 0 } : {}) }),
    yAxis: categoryAxis(names, { inverse: true, axisLabel: rowLabels(names, LABEL_PX) }),
    tooltip: tooltip(({ dataIndex }) => {
      const step = list[dataIndex];
      return tipRows(
        step.name,
        step.kind === "total"
          ? [["score", show(step.to)]]
          : [
              ["adds", scale.change(step.to - step.from)],
              ["so far", show(step.to)],
            ],
      );
    }),
    series: [
      {
        type: "custom",
        data: list.map((step, i) => [i, step.from, step.to]),
        encode: { x: [1, 2], y: 0 },
        renderItem,
      },
    ],
  };
}
