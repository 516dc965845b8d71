// SPDX-License-Identifier: Apache-2.0
// Cells by row and column: correlations, confusion, hours.

import { categoryAxis, grid, rowLabels, tooltip } from "../axes";
import type { ChartSpec } from "../chart";
import type { Child } from "../dom";
import { theme } from "../theme";

export interface MatrixCell {
  column: number;
  row: number;
  colour: string;
  /** Written in the cell when there is room. */
  text?: string;
  textColour?: string;
  /** A line in the cell from low to high, on -1..1: the uncertainty. */
  span?: [number, number];
  tip: Child;
}

export interface MatrixSpec {
  columns: string[];
  rows: string[];
  cells: MatrixCell[];
  columnAxis?: string;
  rowAxis?: string;
  rotate?: number;
  /** In pixels: names of columns are broken to it. */
  columnWidth?: number;
}

const TEXT_WIDTH = 34;

export function matrixOption(spec: MatrixSpec): ReturnType<ChartSpec["option"]> {
  const colours = theme();
  return {
    grid: grid({ top: 8, right: 8 }),
    xAxis: categoryAxis(spec.columns, {
      name: spec.columnAxis ?? "",
      nameGap: 30,
      axisLabel: {
        rotate: spec.rotate ?? 0,
        color: colours.muted,
        lineHeight: 16,
        interval: spec.rotate ? 0 : "auto",
        ...(spec.columnWidth
          ? { width: spec.columnWidth, overflow: "break", interval: 0, hideOverlap: false }
          : {}),
      },
    }),
    yAxis: categoryAxis(spec.rows, {
      name: spec.rowAxis ?? "",
      nameGap: 8,
      inverse: true,
      axisLabel: { color: colours.muted, interval: 0, ...rowLabels(spec.rows) },
    }),
    tooltip: tooltip(({ dataIndex }) => spec.cells[dataIndex].tip),
    series: [
      {
        type: "custom",
        data: spec.cells.map((cell) => [cell.column, cell.row]),
        renderItem: (item: { dataIndex: number }, api: any) =>
          drawCell(spec.cells[item.dataIndex], api),
      },
    ],
  };
}

function drawCell(cell: MatrixCell, api: any): object {
  const colours = theme();
  const [x, y] = api.coord([cell.column, cell.row]);
  const [width, height] = api.size([1, 1]).map((size: number) => size - 2);
  const left = x - width / 2;
  const children: object[] = [
    {
      type: "rect",
      shape: { x: left, y: y - height / 2, width, height, r: 2 },
      style: { fill: cell.colour },
    },
  ];
  if (cell.text && width >= TEXT_WIDTH)
    children.push({
      type: "text",
      style: {
        text: cell.text,
        x,
        y: cell.span ? y - 3 : y,
        align: "center",
        verticalAlign: "middle",
        fill: cell.textColour ?? colours.ink,
        fontSize: 12,
        fontFamily: "system-ui, sans-serif",
      },
    });
  if (cell.span && width >= 16) {
    const place = (value: number) => left + 3 + ((width - 6) * (value + 1)) / 2;
    const base = y + height / 2 - 4;
    children.push({
      type: "line",
      shape: { x1: place(-1), x2: place(1), y1: base, y2: base },
      style: { stroke: cell.textColour ?? colours.ink, opacity: 0.2, lineWidth: 1 },
    });
    children.push({
      type: "line",
      shape: {
        x1: place(cell.span[0]),
        x2: Math.max(place(cell.span[1]), place(cell.span[0]) + 2),
        y1: base,
        y2: base,
      },
      style: { stroke: cell.textColour ?? colours.ink, lineWidth: 2 },
    });
  }
  return { type: "group", children };
}

/** Ink that can be read on a colour. */
export function inkOn(colour: string): string {
  const [r, g, b] = [1, 3, 5]
    .map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? "#15181b" : "#ffffff";
}
