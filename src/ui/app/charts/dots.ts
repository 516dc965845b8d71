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
  /** Drawn as a ring: not to be relied on, as the reading of the chart says. */
  isUnsure?: boolean;
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

/** Fewer accounts say little of their group: drawn hollow, and no title is about them. */
export const FEW = 20;

/** More rows than stand well beside a card of a few. */
const MANY_ROWS = 10;

export function isLong(rows: unknown[]): boolean {
  return rows.length > MANY_ROWS;
}

const isRest = ({ name }: DotRow) => /^\(.*\)$/.test(name);

/** Whether a title may be about a group: not the rest, and not of a few. */
export function isTelling(row: DotRow): boolean {
  return row.value !== null && (row.n ?? 0) >= FEW && !isRest(row);
}

/** Groups from the highest down, the rest last. */
export function ranked<R extends DotRow>(rows: R[]): R[] {
  const place = (row: R) => (isRest(row) ? -Infinity : (row.value ?? -Infinity));
  return [...rows].sort((a, b) => (place(b) === place(a) ? 0 : place(b) - place(a)));
}

/** With the number of accounts beside the name; those of a few are hollow. */
export function counted<R extends DotRow>(rows: R[]): R[] {
  return rows.map((row) => ({
    ...row,
    name: `${row.name}  ${whole(row.n)}`,
    isUnsure: (row.n ?? 0) < FEW,
  }));
}

/** What a hollow point means, where there is one. */
export function fewText(rows: DotRow[]): string {
  return rows.some((row) => (row.n ?? 0) < FEW) ? ` Hollow: fewer than ${FEW} accounts.` : "";
}

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
          : rows.map((row, i) => ({
              value: [row.value ?? NaN, i],
              itemStyle: row.isUnsure
                ? { color: colours.card, borderColor: colours.accent, borderWidth: 2 }
                : undefined,
            })),
        z: isBar ? 2 : 6, // hollow points lie above their whiskers, bars below
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
