// SPDX-License-Identifier: Apache-2.0
// Why this score: from the base, what each feature adds or takes away, to the score.

import type { ScoreAnswer } from "../../api";
import { chartCard } from "../../chart";
import { humanName } from "../../format";
import type { Report } from "../../report";
import { nameCell } from "../../table";
import { theme } from "../../theme";
import { scoreScale, type Scale } from "./scale";
import { categoryAxis, grid, tipRows, tooltip, valueAxis } from "../../axes";

const MAX_STEPS = 9;

interface Step {
  name: string;
  from: number;
  to: number;
  kind: "total" | "up" | "down";
}

function steps(answer: ScoreAnswer): Step[] {
  const { base, contributions } = answer.explanation!;
  const shown = contributions.length > MAX_STEPS + 1 ? contributions.slice(0, MAX_STEPS) : contributions;
  const rest = contributions.slice(shown.length).reduce((sum, item) => sum + item.points, 0);
  const parts = shown.map((item) => ({ name: humanName(item.feature), points: item.points }));
  if (contributions.length > shown.length) parts.push({ name: `${contributions.length - shown.length} smaller ones`, points: rest });
  let sum = base;
  const result: Step[] = [{ name: "average of all", from: base, to: base, kind: "total" }];
  for (const part of parts) {
    result.push({ name: part.name, from: sum, to: sum + part.points, kind: part.points < 0 ? "down" : "up" });
    sum += part.points;
  }
  result.push({ name: "this score", from: answer.score, to: answer.score, kind: "total" });
  return result;
}

function finding(answer: ScoreAnswer, { name, show }: Scale): string {
  const [first, second] = answer.explanation!.contributions;
  const says = (points: number) => (points < 0 ? "pulls it down" : "lifts it");
  const one = `${humanName(first.feature)} ${says(first.points)} ${show(Math.abs(first.points))} ${name}`.trimEnd();
  const text = second ? `${one}, ${humanName(second.feature)} ${says(second.points)} ${show(Math.abs(second.points))}` : one;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** null when the model has no contributions (a composite explains itself). */
export function waterfallCard(report: Report, answer: ScoreAnswer, who: string): HTMLElement | null {
  if (!answer.explanation?.contributions.length) return null;
  const list = steps(answer);
  const scale = scoreScale(report, answer);
  const { show } = scale;
  return chartCard({
    title: finding(answer, scale),
    subtitle: `${who}: ${scale.name} added to the average of ${show(answer.explanation.base)}; they sum to ${show(answer.score)}`,
    reading: "Exact shares of this model's answer, not causes: changing a figure in the world need not change the score so.",
    name: `contributions-${who.replace(/[^\w.]+/g, "-")}`,
    height: 26 * list.length + 48,
    table: {
      columns: [{ title: "feature", show: nameCell }, { title: scale.name || "adds", show: (value) => scale.change(value as number) }],
      rows: answer.explanation.contributions.map((item) => [item.feature, item.points]),
    },
    option: () => {
      const colours = theme();
      const colour = { up: colours.good, down: colours.bad, total: colours.ink };
      return {
        grid: grid({ right: 56 }),
        xAxis: valueAxis("", scale.axis),
        yAxis: categoryAxis(
          list.map((step) => step.name),
          { inverse: true, axisLabel: { width: 190, overflow: "truncate" } },
        ),
        tooltip: tooltip(({ dataIndex }) => {
          const step = list[dataIndex];
          return tipRows(step.name, step.kind === "total" ? [["score", show(step.to)]] : [["adds", scale.change(step.to - step.from)], ["so far", show(step.to)]]);
        }),
        series: [
          {
            type: "custom",
            data: list.map((step, i) => [i, step.from, step.to]),
            encode: { x: [1, 2], y: 0 },
            renderItem: (_: unknown, api: any) => {
              const index = api.value(0);
              const step = list[index];
              const [a, b] = [api.coord([step.from, index]), api.coord([step.to, index])];
              const half = 8;
              if (step.kind === "total") return { type: "group", children: [{ type: "circle", shape: { cx: b[0], cy: b[1], r: 5 }, style: { fill: colour.total } }, text(show(step.to), b[0] + 10, b[1])] };
              const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
              return {
                type: "group",
                children: [
                  { type: "line", shape: { x1: a[0], x2: a[0], y1: a[1] - 18, y2: a[1] + half }, style: { stroke: colours.line } },
                  { type: "rect", shape: { x: left, y: a[1] - half, width: Math.max(right - left, 1.5), height: 2 * half, r: 1 }, style: { fill: colour[step.kind] } },
                  text(scale.change(step.to - step.from), right + 6, a[1]),
                ],
              };
              function text(value: string, x: number, y: number) {
                return { type: "text", style: { text: value, x, y, verticalAlign: "middle", fill: colours.ink, fontSize: 12, fontFamily: "system-ui, sans-serif" } };
              }
            },
          },
        ],
      };
    },
  }).element;
}
