// SPDX-License-Identifier: Apache-2.0
// Small controls above charts.

import { h, replace } from "./dom";
import type { Chart } from "./echarts";
import type { LegendEntry } from "./picture";

/** One of a few, all in sight. */
export function segments<T extends string>(
  label: string,
  options: [T, string][],
  chosen: T,
  onChoose: (value: T) => void,
): HTMLElement {
  const buttons = options.map(([value, text]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === chosen),
        onclick: () => {
          buttons.forEach((button, i) =>
            button.setAttribute("aria-pressed", String(options[i][0] === value)),
          );
          onChoose(value);
        },
      },
      text,
    ),
  );
  return h(
    "div.row",
    { role: "group", "aria-label": label },
    h("span.muted.small", null, label),
    h("div.segments", null, buttons),
  );
}

/** One of many. */
export function select(
  label: string,
  options: [string, string][],
  chosen: string,
  onChoose: (value: string) => void,
): HTMLElement {
  const element = h(
    "select",
    { onchange: () => onChoose((element as HTMLSelectElement).value) },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
  return h("label.field", null, label, element);
}

const ZOOM = 0.7;
const STEP = 0.25;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, STEP],
  ArrowDown: [0, -STEP],
};

/** Zooming and moving without a wheel or a mouse: buttons, and the arrow keys while one of them
 * has the focus. */
export function zoomButtons(chart: () => Chart | null, onAll: () => void): HTMLElement {
  /** scale: of the part shown; move: in widths of it. */
  const change = (scale: number, move: [number, number]) => {
    const views = (chart()?.getOption().dataZoom ?? []) as { start: number; end: number }[];
    views.forEach(({ start, end }, dataZoomIndex) => {
      const half = Math.min(((end - start) / 2) * scale, 50);
      const middle = Math.min(
        Math.max((start + end) / 2 + move[dataZoomIndex] * 2 * half, half),
        100 - half,
      );
      chart()?.dispatchAction({
        type: "dataZoom",
        dataZoomIndex,
        start: middle - half,
        end: middle + half,
      });
    });
  };
  const onkeydown = (event: KeyboardEvent) => {
    const move = ARROWS[event.key];
    if (!move) return;
    event.preventDefault();
    change(1, move);
  };
  const button = (text: string, name: string, onclick: () => void) =>
    h("button", { type: "button", "aria-label": name, title: name, onclick }, text);
  return h(
    "div.segments",
    { role: "group", "aria-label": "Zoom; arrow keys move", onkeydown },
    button("+", "Zoom in (arrow keys move)", () => change(ZOOM, [0, 0])),
    button("−", "Zoom out", () => change(1 / ZOOM, [0, 0])),
    button("All", "Show all of it", onAll),
  );
}

/** Groups with their colours; each switches off and on. */
export function toggleLegend(
  entries: LegendEntry[],
  hidden: Set<number>,
  onChange: () => void,
): HTMLElement {
  const element = h("div.legend", { role: "group", "aria-label": "Groups shown" });
  const draw = () =>
    replace(
      element,
      entries.map((entry, i) =>
        h(
          "button.quiet",
          {
            type: "button",
            "aria-pressed": String(!hidden.has(i)),
            onclick: () => {
              if (!hidden.delete(i)) hidden.add(i);
              draw();
              (element.children[i] as HTMLElement).focus();
              onChange();
            },
          },
          h("i.swatch", { style: { background: entry.colour } }),
          entry.name,
        ),
      ),
    );
  draw();
  return element;
}
