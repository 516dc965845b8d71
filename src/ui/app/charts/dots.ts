// SPDX-License-Identifier: Apache-2.0
// One row a group: a point with its interval, or a bar with its spread.

import {
  categoryAxis,
  fewTicks,
  grid,
  labelFor,
  rowLabels,
  scaleAxis,
  tipRows,
  tooltip,
  whiskers,
} from "../axes";
import type { ChartSpec } from "../chart";
import { whole, withUnit } from "../format";
import type { Num, Scale } from "../report";
import { theme } from "../theme";

export interface DotRow {
  name: string;
  value: Num;
  low: Num;
  high: Num;
  n?: Num;
}

export interface DotSpec {
  unit: string;
  scale?: Scale;
  axis: string;
  /** A vertical line to compare with. */
  reference?: number;
  bars?: boolean;
  /** What low and high are. */
  interval: string;
}

export const rowHeight = 26;

export function dotHeight(count: number): number {
  return Math.max(count, 2) * rowHeight + 64;
}

export function dotOption(rows: DotRow[], spec: DotSpec): ReturnType<ChartSpec["option"]> {
  const colours = theme();
  const show = (value: Num) => withUnit(value, spec.unit);
  const isBar = spec.bars ?? false;
  const names = rows.map((row) => row.name);
  return {
    grid: grid({ right: 24 }),
    xAxis: scaleAxis(spec.scale ?? "linear", spec.axis, spec.unit, {
      scale: !isBar,
      ...fewTicks(),
      axisLabel: { formatter: labelFor(spec.unit) },
    }),
    yAxis: categoryAxis(names, { inverse: true, axisLabel: rowLabels(names) }),
    tooltip: tooltip(({ dataIndex }) => {
      const row = rows[dataIndex];
      const interval: [string, string][] =
        row.low === null || row.high === null
          ? []
          : [[spec.interval, `${show(row.low)} to ${show(row.high)}`]];
      return tipRows(row.name, [
        [spec.axis || "value", show(row.value)],
        ...interval,
        ...(row.n ? ([["accounts", whole(row.n)]] as [string, string][]) : []),
      ]);
    }),
    series: [
      {
        type: isBar ? "bar" : "scatter",
        data: isBar
          ? rows.map((row) => ({
              value: row.value ?? "-",
              itemStyle: { color: (row.value ?? 0) < 0 ? colours.bad : colours.accent },
            }))
          : rows.map((row, i) => [row.value ?? NaN, i]),
        symbolSize: 9,
        barWidth: 12,
        itemStyle: { color: colours.accent, opacity: isBar ? 0.75 : 1 },
        markLine:
          spec.reference === undefined
            ? undefined
            : {
                silent: true,
                symbol: "none",
                data: [{ xAxis: spec.reference }],
                label: { show: false },
                lineStyle: { color: colours.ghost, type: "dashed" },
              },
      },
      whiskers(
        rows.map((row, i) => [i, row.low, row.high]),
        true,
      ),
    ],
  };
}
