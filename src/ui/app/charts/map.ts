// SPDX-License-Identifier: Apache-2.0
// Accounts on two principal components: which are near each other.

import { grid, tipRows, tooltip, valueAxis } from "../axes";
import type { ChartSpec } from "../chart";
import type { Child } from "../dom";
import { percent } from "../format";
import type { Num } from "../report";
import { theme } from "../theme";

export interface MapSpec {
  handle: (string | null)[];
  x: Num[];
  y: Num[];
  explained: number[];
  colour: (index: number) => string;
  isShown?: (index: number) => boolean;
  rows: (index: number) => [string, Child][];
  /** Arrows from the middle: where each figure grows. */
  arrows?: { name: string; x: number; y: number }[];
}

export function mapOption(spec: MapSpec): ReturnType<ChartSpec["option"]> {
  const colours = theme();
  const data: number[][] = [];
  spec.x.forEach((x, i) => {
    const y = spec.y[i];
    if (x !== null && y !== null && (spec.isShown?.(i) ?? true)) data.push([x, y, i]);
  });
  const reach = Math.max(...data.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y))), 1) * 0.7;
  const longest = Math.max(
    ...(spec.arrows ?? []).map((arrow) => Math.hypot(arrow.x, arrow.y)),
    1e-9,
  );
  const ends = (spec.arrows ?? []).map((arrow) => [
    (arrow.x / longest) * reach,
    (arrow.y / longest) * reach,
  ]);
  /** Where the name of an arrow stands, so that names do not cover each other: from the top
   * down. */
  const labelHeights = (api: any, wanted: number): number => {
    const places = ends
      .map((end, i) => ({ i, at: api.coord(end) as number[] }))
      .sort((a, b) => a.at[1] - b.at[1]);
    const last: Record<string, number> = {};
    for (const { i, at } of places) {
      const side = at[0] >= api.coord([0, 0])[0] ? "right" : "left";
      last[side] = Math.max(at[1], (last[side] ?? -Infinity) + 14);
      if (i === wanted) return last[side];
    }
    return 0;
  };
  return {
    grid: grid(),
    xAxis: valueAxis(`first component, ${percent(spec.explained[0], 0)} of the spread`, "", {
      axisLabel: { show: false },
      splitLine: { show: false },
      axisLine: { show: true, lineStyle: { color: colours.line } },
    }),
    yAxis: valueAxis(`second, ${percent(spec.explained[1], 0)}`, "", {
      nameGap: 12,
      axisLabel: { show: false },
      splitLine: { show: false },
      axisLine: { show: true, lineStyle: { color: colours.line } },
    }),
    tooltip: tooltip((event) =>
      event.seriesName === "accounts"
        ? tipRows(spec.handle[event.data[2]] ?? "account", spec.rows(event.data[2]))
        : null,
    ),
    series: [
      {
        name: "accounts",
        type: "scatter",
        progressive: 0, // a picture saved meanwhile would lack those still to come
        data,
        symbolSize: data.length > 1500 ? 5 : 7,
        cursor: "pointer",
        itemStyle: {
          color: (item: { data: number[] }) => spec.colour(item.data[2]),
          opacity: data.length > 1500 ? 0.5 : 0.7,
        },
        emphasis: { itemStyle: { opacity: 1, borderColor: colours.ink, borderWidth: 1 } },
      },
      {
        name: "figures",
        type: "custom",
        silent: true,
        z: 5,
        data: ends,
        renderItem: (item: { dataIndex: number }, api: any) => {
          const [from, to] = [api.coord([0, 0]), api.coord([api.value(0), api.value(1)])];
          const { name } = spec.arrows![item.dataIndex];
          const isRight = to[0] >= from[0];
          const y = labelHeights(api, item.dataIndex);
          return {
            type: "group",
            children: [
              {
                type: "line",
                shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] },
                style: { stroke: colours.ink, lineWidth: 1.25 },
              },
              {
                type: "circle",
                shape: { cx: to[0], cy: to[1], r: 2.5 },
                style: { fill: colours.ink },
              },
              {
                type: "text",
                style: {
                  text: name,
                  x: to[0] + (isRight ? 5 : -5),
                  y,
                  align: isRight ? "left" : "right",
                  verticalAlign: "middle",
                  fill: colours.ink,
                  stroke: colours.card,
                  lineWidth: 3,
                  fontSize: 12,
                  fontFamily: "system-ui, sans-serif",
                },
              },
            ],
          };
        },
      },
    ],
  };
}
