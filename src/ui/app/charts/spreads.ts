// SPDX-License-Identifier: Apache-2.0
// Distributions side by side: the shape as a ridge, under it the middle half, the 5 % to 95 % span
// and the median.

import { categoryAxis, grid, rowLabels, scaleAxis, tipRows, tooltip } from "../axes";
import type { ChartSpec } from "../chart";
import { whole, withUnit } from "../format";
import type { Distribution } from "../report";
import { theme } from "../theme";

export const spreadRowHeight = 46;

/** An end of the axis that holds a smaller share of every group is not drawn. */
const STRAYS = 0.002;

/** The first and the last bin drawn. */
function drawnBins({ groups }: Distribution): [number, number] {
  const isFilled = groups.counts[0].map((_, bin) =>
    groups.counts.some((counts) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      return counts[bin] > total * STRAYS;
    }),
  );
  return [Math.max(isFilled.indexOf(true), 0), isFilled.lastIndexOf(true)];
}

/** How many values lie beyond what is drawn. */
export function straysOf(distribution: Distribution): number {
  const [from, to] = drawnBins(distribution);
  return distribution.groups.counts
    .flatMap((counts) => counts.filter((_, bin) => bin < from || bin > to))
    .reduce((sum, count) => sum + count, 0);
}

export function spreadOption(
  distribution: Distribution,
  names: string[],
  axis: string,
): ReturnType<ChartSpec["option"]> {
  const { groups, edges, unit } = distribution;
  const [from, to] = drawnBins(distribution);
  const colours = theme();
  const most = groups.counts.map((counts) => Math.max(...counts, 1));
  const drawRow = (item: { dataIndex: number }, api: any) => {
    const row = item.dataIndex;
    const at = (value: number) => api.coord([value, row]);
    const y = at(edges[0])[1];
    const height = api.size([0, 1])[1];
    const base = y + height * 0.18;
    const ridge: number[][] = [[at(edges[from])[0], base]];
    groups.counts[row].slice(0, to + 1).forEach((count, i) => {
      if (i < from) return;
      const top = base - (count / most[row]) * height * 0.58;
      ridge.push([at(edges[i])[0], top], [at(edges[i + 1])[0], top]);
    });
    ridge.push([at(edges[to + 1])[0], base]);
    const children: object[] = [
      { type: "polygon", shape: { points: ridge }, style: { fill: colours.accent, opacity: 0.22 } },
    ];
    const line = (from: number, to: number, width: number) => ({
      type: "line",
      shape: { x1: at(from)[0], x2: at(to)[0], y1: base + 6, y2: base + 6 },
      style: { stroke: colours.accent, lineWidth: width },
    });
    const [q05, q25, median, q75, q95] = [
      groups.q05[row],
      groups.q25[row],
      groups.median[row],
      groups.q75[row],
      groups.q95[row],
    ];
    if (q05 !== null && q95 !== null) children.push(line(q05, q95, 1));
    if (q25 !== null && q75 !== null) children.push(line(q25, q75, 5));
    if (median !== null)
      children.push({
        type: "circle",
        shape: { cx: at(median)[0], cy: base + 6, r: 4 },
        style: { fill: colours.card, stroke: colours.ink, lineWidth: 2 },
      });
    return { type: "group", children };
  };
  const rowNames = groups.group.map(
    (group, i) => `${names[group] ?? "(none)"}  ${whole(groups.n[i])}`,
  );
  return {
    grid: grid(),
    xAxis: scaleAxis(distribution.scale, axis, unit, {
      min: edges[from],
      max: edges[to + 1],
    }),
    yAxis: categoryAxis(rowNames, {
      inverse: true,
      axisLabel: rowLabels(rowNames, 180),
    }),
    tooltip: tooltip(({ dataIndex: i }) =>
      tipRows(names[groups.group[i]] ?? "(none)", [
        ["median", withUnit(groups.median[i], unit)],
        ["middle half", `${withUnit(groups.q25[i], unit)} to ${withUnit(groups.q75[i], unit)}`],
        ["5 % to 95 %", `${withUnit(groups.q05[i], unit)} to ${withUnit(groups.q95[i], unit)}`],
        ["smallest, largest", `${withUnit(groups.min[i], unit)}, ${withUnit(groups.max[i], unit)}`],
        ["accounts", whole(groups.n[i])],
      ]),
    ),
    series: [
      {
        type: "custom",
        data: groups.group.map((_, i) => [groups.median[i], i]),
        encode: { x: 0, y: 1 },
        renderItem: drawRow,
        clip: true,
      },
    ],
  };
}
