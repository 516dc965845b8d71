// SPDX-License-Identifier: Apache-2.0
// Histograms over bins of any width, on linear and log scales.

import { grid, scaleAxis, tipRows, tooltip, valueAxis } from "../axes";
import type { ChartSpec } from "../chart";
import { h } from "../dom";
import { percent, whole, withUnit } from "../format";
import type { Histogram } from "../report";
import type { TableSpec } from "../table";
import { theme } from "../theme";

/** Share of the rows at each end that may be left undrawn, and how few of the bins must remain
 * for it. */
const STRAYS = 0.01;
const WORTH_TRIMMING = 0.6;

export function histogramTable(histogram: Histogram, unit: string): TableSpec {
  return {
    columns: [
      { title: "from", show: (value) => withUnit(value, unit) },
      { title: "to", show: (value) => withUnit(value, unit) },
      { title: "rows", show: (value) => whole(value as number) },
    ],
    rows: histogram.counts.map((count, i) => [histogram.edges[i], histogram.edges[i + 1], count]),
  };
}

export function histogramOption(
  histogram: Histogram,
  unit: string,
  axis: string,
  marks: { at: number; name: string }[] = [],
): ReturnType<ChartSpec["option"]> {
  const colours = theme();
  const total = histogram.counts.reduce((sum, count) => sum + count, histogram.zeros);
  const { edges, counts } = histogram;
  return {
    grid: grid({ top: marks.length ? 28 : 12 }),
    xAxis: scaleAxis(histogram.scale, axis, unit, {
      min: edges[0],
      max: edges[edges.length - 1],
      splitLine: { show: false },
      axisLabel: { showMinLabel: false, showMaxLabel: false },
    }),
    yAxis: valueAxis("", "rows", { scale: false }),
    tooltip: tooltip(({ dataIndex }) =>
      tipRows(`${withUnit(edges[dataIndex], unit)} to ${withUnit(edges[dataIndex + 1], unit)}`, [
        ["rows", whole(counts[dataIndex])],
        ["share", percent(counts[dataIndex] / total)],
      ]),
    ),
    series: [
      {
        type: "custom",
        data: counts.map((count, i) => [edges[i], edges[i + 1], count]),
        encode: { x: [0, 1], y: 2 },
        renderItem: (_: unknown, api: any) => {
          const [x1, y] = api.coord([api.value(0), api.value(2)]);
          const [x2, base] = api.coord([api.value(1), 0]);
          return {
            type: "rect",
            shape: {
              x: x1 + 0.5,
              y,
              width: Math.max(x2 - x1 - 1, 1),
              height: Math.max(base - y, 0),
            },
            style: { fill: colours.accent, opacity: 0.75 },
          };
        },
        markLine: {
          silent: true,
          symbol: "none",
          lineStyle: { color: colours.ink, type: "solid", width: 1 },
          label: {
            color: colours.ink,
            fontSize: 12,
            formatter: ({ dataIndex }: { dataIndex: number }) => marks[dataIndex].name,
          },
          data: marks.map((mark) => ({ xAxis: mark.at })),
        },
      },
    ],
  };
}

/** The bins that hold all but the outermost rows, when a few strays would squeeze the rest. */
export function trimmed(histogram: Histogram): { histogram: Histogram; cut: number } {
  const { counts, edges } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  let [from, to, cut] = [0, counts.length, 0];
  while (from < to - 1 && cut + counts[from] <= total * STRAYS) cut += counts[from++];
  const below = cut;
  while (to > from + 1 && cut - below + counts[to - 1] <= total * STRAYS) cut += counts[--to];
  if (cut === 0 || to - from > counts.length * WORTH_TRIMMING) return { histogram, cut: 0 };
  return {
    histogram: { ...histogram, counts: counts.slice(from, to), edges: edges.slice(from, to + 1) },
    cut,
  };
}

/** A histogram as a line of bars, for a table's cell. */
export function sparkBars(histogram: Histogram, label: string): HTMLElement {
  const { counts } = histogram;
  const most = Math.max(...counts, 1);
  const [width, height] = [120, 28];
  const step = width / counts.length;
  return h(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
      class: "spark",
    },
    counts.map((count, i) =>
      h("rect", {
        x: i * step,
        y: height - (height * count) / most,
        width: Math.max(step - 0.5, 0.5),
        height: (height * count) / most,
      }),
    ),
  );
}
