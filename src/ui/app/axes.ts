// SPDX-License-Identifier: Apache-2.0
// Axes, tooltips and small series that the charts share.

import { h, type Child } from "./dom";
import { compact, percent, plain } from "./format";
import { theme } from "./theme";

/** Room around the drawing; the axes' labels and names find their own within. */
export function grid(more: object = {}): object {
  return {
    left: 4,
    right: 16,
    top: 12,
    bottom: 4,
    outerBoundsMode: "same",
    outerBoundsContain: "all",
    ...more,
  };
}

function look(): object {
  const colours = theme();
  return {
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: colours.muted, fontSize: 12, hideOverlap: true },
    splitLine: { show: true, lineStyle: { color: colours.grid, width: 1 } },
    nameTextStyle: { color: colours.muted, fontSize: 12 },
    nameLocation: "middle",
  };
}

/** Merge, one level into axisLabel and the like. */
function merged(base: any, more: any): any {
  const result = { ...base };
  for (const [key, value] of Object.entries(more))
    result[key] =
      value && typeof value === "object" && !Array.isArray(value) && base[key]
        ? { ...base[key], ...value }
        : value;
  return result;
}

const PHONE_PX = 640;
const LABEL_PX = 260;
const LABEL_PHONE_PX = 120;
const LABEL_PHONE_CHARACTERS = 18;

/** A phone, on which names beside a drawing leave it hardly any room. */
export function isNarrow(): boolean {
  return innerWidth < PHONE_PX;
}

/** Names of rows: on a phone long ones in two lines, so that the drawing has the larger half. */
export function rowLabels(names: string[], width = LABEL_PX): object {
  if (!isNarrow()) return { width, overflow: "truncate" };
  if (names.every((name) => name.length <= LABEL_PHONE_CHARACTERS)) return {};
  return { width: LABEL_PHONE_PX, overflow: "break", fontSize: 11, lineHeight: 12 };
}

/** As many ticks as there is room for their labels: a line without one says nothing. */
export function fewTicks(): object {
  return { splitNumber: isNarrow() ? 3 : 5 };
}

export function labelFor(unit: string): (value: number) => string {
  if (unit === "fraction") return (value) => percent(value);
  if (unit === "points" || unit === "ratio") return (value) => plain(value);
  if (unit === "percent a month") return (value) => `${plain(value)} %`;
  return (value) => compact(value);
}

export function valueAxis(name: string, unit: string, more: object = {}): object {
  return merged(
    look(),
    merged(
      {
        type: "value",
        name,
        nameGap: 30,
        scale: true,
        axisLabel: { formatter: labelFor(unit), color: theme().muted },
      },
      more,
    ),
  );
}

/** Ticks at 1k 10k 100k 1M; the name stands for what is measured. */
export function logAxis(name: string, unit: string, more: object = {}): object {
  return valueAxis(name, unit, { type: "log", logBase: 10, minorTick: { show: false }, ...more });
}

export function scaleAxis(
  scale: "log" | "linear",
  name: string,
  unit: string,
  more: object = {},
): object {
  return scale === "log" ? logAxis(name, unit, more) : valueAxis(name, unit, more);
}

export function categoryAxis(names: string[], more: object = {}): object {
  return merged(
    look(),
    merged(
      {
        type: "category",
        data: names,
        splitLine: { show: false },
        axisLabel: { color: theme().ink },
      },
      more,
    ),
  );
}

/** The nearest 1, 2 or 5 times a power of ten that is not above, or not below. */
function nice(value: number, isUpper: boolean): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 2, 5, 10].map((step) => step * power);
  return isUpper
    ? steps.find((step) => step >= value * (1 - 1e-9))!
    : steps.reverse().find((step) => step <= value * (1 + 1e-9))!;
}

/** Round bounds of a log axis around the values. */
export function decades(values: (number | null)[]): { min: number; max: number } {
  let low = Infinity;
  let high = 0;
  for (const value of values)
    if (value !== null && value > 0) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  if (high === 0) return { min: 0.1, max: 10 };
  return { min: nice(low, false), max: nice(high, true) };
}

/** A tooltip whose content is elements: text never turns into markup, and no style attributes. */
export function tooltip(content: (event: any) => Child, trigger: "item" | "axis" = "item"): object {
  const colours = theme();
  return {
    trigger,
    confine: true,
    transitionDuration: 0,
    backgroundColor: colours.card,
    borderColor: colours.line,
    borderWidth: 1,
    padding: [8, 10],
    textStyle: { color: colours.ink, fontSize: 12 },
    axisPointer: { type: "line", lineStyle: { color: colours.line } },
    formatter: (event: any) => {
      const made = content(event);
      return made === null || made === "" ? "" : h("div.tip", null, made);
    },
  };
}

/** A heading and rows of name and value. */
export function tipRows(title: string, rows: [string, Child][]): Child {
  return [
    h("strong", null, title),
    h(
      "dl",
      null,
      rows.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
    ),
  ];
}

/** Whiskers [x or index, low, high] as a custom series: uncertainty on every bar and point. */
export function whiskers(
  data: (number | null)[][],
  horizontal: boolean,
  more: { opacity?: number; z?: number } = {},
): object {
  const colour = theme().ink;
  const { opacity = 1, ...rest } = more;
  return {
    type: "custom",
    silent: true,
    z: 5,
    data,
    encode: horizontal ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
    renderItem: (_: any, api: any) => {
      const place = api.value(0);
      if (api.value(1) === null || Number.isNaN(api.value(1))) return null;
      const from = horizontal ? api.coord([api.value(1), place]) : api.coord([place, api.value(1)]);
      const to = horizontal ? api.coord([api.value(2), place]) : api.coord([place, api.value(2)]);
      const cap = 4;
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: "line",
        shape: { x1, y1, x2, y2 },
        style: { stroke: colour, lineWidth: 1.25, opacity },
      });
      const across = (at: number[]) =>
        horizontal
          ? line(at[0], at[1] - cap, at[0], at[1] + cap)
          : line(at[0] - cap, at[1], at[0] + cap, at[1]);
      return {
        type: "group",
        children: [line(from[0], from[1], to[0], to[1]), across(from), across(to)],
      };
    },
    ...rest,
  };
}
