// SPDX-License-Identifier: Apache-2.0
// A part of the scatter: drawn on the chart with a pointer, or its figures typed; and who is inside.

import { debounce, h, replace } from "../../dom";
import { compact, humanName, plural, withUnit } from "../../format";
import { parseQuantity, typeQuantity } from "../../quantity";
import type { Report } from "../../report";
import { table, type TableSpec } from "../../table";

type Range = [number, number];
/** An end that is not given is infinite. */
export interface Area {
  followers: Range;
  measure: Range;
}

export interface SelectionPanel {
  /** For the part's figures, beside the chart's other controls. */
  fields: HTMLElement;
  /** Below the chart: the accounts inside. */
  found: HTMLElement;
  /** What the chart says is selected. */
  show: (area: Area | null) => void;
}

/** `onTyped`: the part was typed, or emptied. */
export function selectionPanel(
  report: Report,
  tableOf: (indices: number[]) => TableSpec,
  onTyped: (area: Area | null) => void,
): SelectionPanel {
  const { measure } = report.explore;
  const found = h("div", { "aria-live": "polite" });
  const [fewest, most] = rangeInputs("followers", "");
  const [lowest, highest] = rangeInputs(humanName(measure.name), measure.unit);
  const inputs = [fewest, most, lowest, highest];
  const fields = h(
    "div.row.range",
    { role: "group", "aria-label": "The part selected", hidden: true },
    inputs.map((input) => input.element),
  );
  const list = (area: Area | null) => replace(found, area && inside(report, area, tableOf));
  const typed = debounce(250, () => {
    const ends = inputs.map((input) => input.read());
    if (ends.some(Number.isNaN)) return;
    const [from, to, low, high] = ends;
    const isEmpty = ends.every((end) => !Number.isFinite(end));
    const area: Area | null = isEmpty ? null : { followers: [from, to], measure: [low, high] };
    list(area);
    onTyped(area);
  });
  inputs.forEach((input) => input.element.addEventListener("input", typed));
  const show: SelectionPanel["show"] = (area) => {
    fewest.write(area?.followers[0]);
    most.write(area?.followers[1]);
    lowest.write(area?.measure[0]);
    highest.write(area?.measure[1]);
    list(area);
  };
  return { fields, found, show };
}

interface RangeInput {
  element: HTMLElement;
  /** Infinite where it is empty, NaN where it is no number. */
  read: () => number;
  write: (value: number | undefined) => void;
}

function rangeInputs(name: string, unit: string): [RangeInput, RangeInput] {
  const make = (label: string, isFrom: boolean): RangeInput => {
    const input = h("input", {
      type: "text",
      size: 7,
      placeholder: "any",
      autocomplete: "off",
      "aria-label": `${name} ${isFrom ? "from" : "to"}`,
    }) as HTMLInputElement;
    const read = () => {
      const text = input.value.trim();
      const value = text ? parseQuantity(text) : isFrom ? -Infinity : Infinity;
      input.setAttribute("aria-invalid", String(value === null));
      return value ?? NaN;
    };
    const write = (value: number | undefined) => {
      input.value = value !== undefined && Number.isFinite(value) ? typeQuantity(value, unit) : "";
      input.setAttribute("aria-invalid", "false");
    };
    return { element: h("label.field", null, label, input), read, write };
  };
  return [make(`${name} from`, true), make("to", false)];
}

function inside(report: Report, area: Area, tableOf: (indices: number[]) => TableSpec) {
  const { scatter, measure } = report.explore;
  const isIn = (value: number | null, [from, to]: Range) =>
    value !== null && value >= from && value <= to;
  const indices = scatter.followers
    .map((_, i) => i)
    .filter(
      (i) => isIn(scatter.followers[i], area.followers) && isIn(scatter.measure[i], area.measure),
    );
  const words = [
    rangeWords("followers", area.followers, compact),
    rangeWords(humanName(measure.name), area.measure, (value) => withUnit(value, measure.unit)),
  ].filter((text) => text !== "");
  return [
    h(
      "h4",
      null,
      `${plural(indices.length, "account")} selected`,
      words.length > 0 && `: ${words.join(", ")}`,
    ),
    indices.length > 0 && table(tableOf(indices), "Selected accounts", 10),
  ];
}

/** "followers 10k to 1M", "followers from 10k" */
function rangeWords(name: string, [from, to]: Range, show: (value: number) => string): string {
  const [hasFrom, hasTo] = [Number.isFinite(from), Number.isFinite(to)];
  if (hasFrom && hasTo) return `${name} ${show(from)} to ${show(to)}`;
  if (hasFrom) return `${name} from ${show(from)}`;
  return hasTo ? `${name} to ${show(to)}` : "";
}
