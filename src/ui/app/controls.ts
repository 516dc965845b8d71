// SPDX-License-Identifier: Apache-2.0
// Small controls above charts.

import { h, replace } from "./dom";

/** One of a few, all in sight. */
export function segments<T extends string>(label: string, options: [T, string][], chosen: T, onChoose: (value: T) => void): HTMLElement {
  const buttons = options.map(([value, text]) =>
    h("button", {
      type: "button",
      "aria-pressed": String(value === chosen),
      onclick: () => {
        buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(options[i][0] === value)));
        onChoose(value);
      },
    }, text),
  );
  return h("div.row", { role: "group", "aria-label": label }, h("span.muted.small", null, label), h("div.segments", null, buttons));
}

/** One of many. */
export function select(label: string, options: [string, string][], chosen: string, onChoose: (value: string) => void): HTMLElement {
  const element = h("select", { onchange: () => onChoose((element as HTMLSelectElement).value) }, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  return h("label.field", null, label, element);
}

/** Groups with their colours; each switches off and on. */
export function toggleLegend(entries: { name: string; colour: string }[], hidden: Set<number>, onChange: () => void): HTMLElement {
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
