// SPDX-License-Identifier: Apache-2.0
// The profile form: each field as text, with units as people type them, and as a slider over what
// the training data held.

import type { Profile } from "../../api";
import { freshId, h, replace } from "../../dom";
import { humanName, sentence, withUnit } from "../../format";
import { parseQuantity, typeQuantity } from "../../quantity";
import type { Column, Report } from "../../report";
import { rateDoubt, rateOfOthers, understood } from "./doubts";

const SLIDER_STEPS = 400;
const MAIN_FIELDS = 8;

export interface ProfileForm {
  element: HTMLElement;
  /** Show a profile with what was typed over it. */
  show: (profile: Profile, typed: Record<string, string>) => void;
  /** Mark the field that the daemon refuses; "" clears. */
  blame: (field: string, message: string) => void;
}

/** Rates lie far below 1: ln(1 + x) of hundredths of a percent gives them the room of the slider. */
function bendOf({ unit }: Column): number {
  return unit === "fraction" ? 1e4 : 1;
}

/** The ends of the slider: ln(1 + x) of the smallest and of the largest value seen. */
function sliderEnds(column: Column): [number, number] {
  const bend = bendOf(column);
  return [
    Math.log1p(bend * Math.max(column.min ?? 0, 0)),
    Math.log1p(bend * Math.max(column.max ?? 1, 0)),
  ];
}

function sliderPlace(column: Column, value: number): number {
  const [low, high] = sliderEnds(column);
  const place = Math.log1p(bendOf(column) * Math.max(value, 0));
  return high > low ? (SLIDER_STEPS * (place - low)) / (high - low) : 0;
}

function sliderValue(column: Column, place: number): number {
  const [low, high] = sliderEnds(column);
  return Math.expm1(low + ((high - low) * place) / SLIDER_STEPS) / bendOf(column);
}

interface FieldRow {
  element: HTMLElement;
  /** `others`: what the other figures make of it, where it is not given. */
  show: (
    catalogued: string | number | boolean | undefined,
    typed: string | undefined,
    others: number | null,
  ) => void;
  blame: (message: string) => void;
}

export function profileForm(
  report: Report,
  fields: Column[],
  onType: (field: string, text: string) => void,
): ProfileForm {
  const rows = new Map<string, FieldRow>();
  for (const field of fields)
    rows.set(
      field.name,
      fieldRow(report, field, (text) => onType(field.name, text)),
    );
  const elements = [...rows.values()].map((row) => row.element);
  const rest = elements.slice(MAIN_FIELDS);
  const element = h(
    "form.profile",
    { onsubmit: (event: Event) => event.preventDefault(), "aria-label": "Profile" },
    elements.slice(0, MAIN_FIELDS),
    rest.length > 0 && h("details", null, h("summary", null, `${rest.length} more`), rest),
  );
  return {
    element,
    show: (profile, typed) => {
      const rate = rateOfOthers({ ...profile, ...typed });
      rows.forEach((row, name) =>
        row.show(profile[name], typed[name], name === "engagement_rate" ? rate : null),
      );
    },
    blame: (field, message) =>
      rows.forEach((row, name) => row.blame(name === field ? message : "")),
  };
}

function fieldRow(report: Report, field: Column, onType: (text: string) => void): FieldRow {
  const id = freshId("field");
  const error = h("p.field-error", { id: `${id}-error`, hidden: true });
  const reset = h(
    "button.quiet",
    { type: "button", hidden: true, onclick: () => onType("") },
    "reset",
  ) as HTMLButtonElement;
  const input = (
    field.kind === "number" ? numberInput : field.kind === "flag" ? flagInput : textInput
  )(report, field, id, onType);
  const label = h("label", { for: id, title: field.help }, sentence(humanName(field.name)));
  const meaning = h("p.understood", { hidden: true, "aria-live": "polite" });
  const explain = (typed: string | undefined) => {
    const text = field.kind === "number" ? understood(typed ?? "", field.unit) : "";
    const doubt = rateDoubt(field, typed ?? "");
    replace(
      meaning,
      text,
      doubt &&
        h(
          "button.quiet",
          { type: "button", onclick: () => onType(doubt.typed[field.name]) },
          `${doubt.offer}?`,
        ),
    );
    meaning.hidden = text === "";
    meaning.classList.toggle("doubtful", doubt !== null);
  };
  const element = h(
    "div.profile-field",
    null,
    h("div.spread", null, label, reset),
    input.elements,
    meaning,
    error,
  );
  return {
    element,
    show: (catalogued, typed, others) => {
      input.stand?.(others);
      input.show(
        typed ??
          (catalogued === undefined
            ? ""
            : field.kind === "number"
              ? typeQuantity(Number(catalogued), field.unit)
              : String(catalogued)),
      );
      reset.hidden = typed === undefined;
      explain(typed);
      element.classList.toggle("typed", typed !== undefined);
    },
    blame: (message) => {
      replace(error, message);
      error.hidden = message === "";
      const control = input.elements[0];
      control.setAttribute("aria-invalid", String(message !== ""));
      if (message) control.setAttribute("aria-describedby", error.id);
      else control.removeAttribute("aria-describedby");
    },
  };
}

interface Input {
  elements: HTMLElement[];
  /** What stands in for it while it is not given. */
  stand?: (value: number | null) => void;
  show: (text: string) => void;
}

function numberInput(_: Report, field: Column, id: string, onType: (text: string) => void): Input {
  const typical = field.median === undefined ? "" : `typical ${withUnit(field.median, field.unit)}`;
  let standing = field.median ?? 0;
  const input = h("input", {
    id,
    type: "text",
    inputmode: "text",
    autocomplete: "off",
    placeholder: typical,
  }) as HTMLInputElement;
  const slider = h("input", {
    type: "range",
    min: 0,
    max: SLIDER_STEPS,
    step: 1,
    "aria-label": `${humanName(field.name)}, slider`,
  }) as HTMLInputElement;
  const place = (text: string) => {
    const value = parseQuantity(text);
    slider.value = String(
      value === null ? sliderPlace(field, standing) : sliderPlace(field, value),
    );
    slider.classList.toggle("unset", value === null);
    slider.setAttribute("aria-valuetext", value === null ? "not given" : text);
  };
  input.addEventListener("input", () => {
    place(input.value);
    onType(input.value.trim());
  });
  slider.addEventListener("input", () => {
    const value = sliderValue(field, Number(slider.value));
    input.value = typeQuantity(
      field.unit === "fraction" || value < 10 ? value : Math.round(value),
      field.unit,
    );
    place(input.value);
    onType(input.value);
  });
  const seen = `seen: ${withUnit(field.min, field.unit)} to ${withUnit(field.max, field.unit)}`;
  slider.title = seen;
  return {
    elements: [input, slider],
    stand: (value) => {
      standing = value ?? field.median ?? 0;
      input.placeholder = value === null ? typical : `${withUnit(value, field.unit)} by the others`;
    },
    show: (text) => {
      if (document.activeElement !== input) input.value = text;
      if (document.activeElement !== slider) place(text);
    },
  };
}

function flagInput(_: Report, __: Column, id: string, onType: (text: string) => void): Input {
  const input = h(
    "select",
    { id },
    h("option", { value: "" }, "not given"),
    h("option", { value: "true" }, "yes"),
    h("option", { value: "false" }, "no"),
  ) as HTMLSelectElement;
  input.addEventListener("change", () => onType(input.value));
  return {
    elements: [input],
    show: (text) => (input.value = { "1": "true", "0": "false" }[text] ?? text),
  };
}

function textInput(
  report: Report,
  field: Column,
  id: string,
  onType: (text: string) => void,
): Input {
  const names =
    field.name === "category"
      ? report.groups.category
      : field.name === "country"
        ? report.groups.country
        : (field.top ?? []).map((entry) => entry.value);
  const listId = `${id}-list`;
  const list = h(
    "datalist",
    { id: listId },
    names.filter((name) => name !== "(other)").map((name) => h("option", { value: name })),
  );
  const input = h("input", {
    id,
    type: "text",
    list: listId,
    autocomplete: "off",
    placeholder: "not given",
  }) as HTMLInputElement;
  input.addEventListener("input", () => onType(input.value.trim()));
  return {
    elements: [input, list],
    show: (text) => document.activeElement !== input && (input.value = text),
  };
}
