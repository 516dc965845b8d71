// SPDX-License-Identifier: Apache-2.0
// The most similar accounts, with filters that the daemon applies.

import { ApiError, asCurl, call, type Profile, type SimilarAnswer } from "../../api";
import { card, cardHead } from "../../chart";
import { debounce, h, replace, type Child } from "../../dom";
import { compact, percent, points, whole } from "../../format";
import { saveTablePicture } from "../../picture";
import type { Report } from "../../report";
import { failure, skeleton } from "../../states";
import {
  bareTable,
  downloadCsv,
  handleLink,
  type Cell,
  type ColumnSpec,
  type TableSpec,
} from "../../table";
import { COMPARED_MAX, requestFor, sameHandle, similarParameters, type Question } from "./question";

export interface SimilarPanel {
  element: HTMLElement;
  /** `who`: to whom, in words. */
  ask: (question: Question, who: string, profile: Profile, signal: AbortSignal) => Promise<void>;
  curl: () => string;
  /** Who can still be compared: not those who are, and nobody once four are. */
  mark: (question: Question) => void;
}

const FILTER_WORDS: Record<string, string> = {
  category: "category",
  country: "country",
  tier: "size",
  min_followers: "at least",
  max_followers: "at most",
};

export function similarPanel(
  report: Report,
  onFilter: (name: string, text: string) => void,
  onCompare: (handle: string) => void,
): SimilarPanel {
  const body = h("div", { "aria-live": "polite" }, skeleton(240));
  const subtitle = h("span", null, "the nearest accounts");
  let spec: TableSpec | null = null;
  let who = "";
  let curl = "";
  let asked = 0;
  let current: Question | null = null;
  const inputs = new Map<string, HTMLInputElement | HTMLSelectElement>();

  const choice = (name: string, label: string, names: string[]): Child => {
    const select = h(
      "select",
      { onchange: () => onFilter(name, select.value) },
      h("option", { value: "" }, "any"),
      names.filter((text) => text !== "(other)").map((text) => h("option", { value: text }, text)),
    ) as HTMLSelectElement;
    inputs.set(name, select);
    return names.length > 0 && h("label.field", null, label, select);
  };
  const text = (name: string, label: string, placeholder: string): Child => {
    const input = h("input", {
      type: "text",
      size: 7,
      placeholder,
      autocomplete: "off",
    }) as HTMLInputElement;
    input.addEventListener(
      "input",
      debounce(250, () => onFilter(name, input.value.trim())),
    );
    inputs.set(name, input);
    return h("label.field", null, label, input);
  };
  const controls = h(
    "div.controls",
    null,
    choice("category", "category", report.groups.category),
    choice("country", "country", report.groups.country),
    choice("tier", "size", report.groups.tier),
    text("min_followers", "followers from", "any"),
    text("max_followers", "to", "any"),
    text("k", "how many", "10"),
  );
  const png = () =>
    spec && saveTablePicture("similar", `Most similar to ${who}`, subtitle.textContent ?? "", spec);
  const exports_ = [
    h(
      "button.quiet",
      {
        type: "button",
        "aria-label": "CSV of the most similar",
        onclick: () => spec && downloadCsv(spec, "similar"),
      },
      "CSV",
    ),
    h(
      "button.quiet",
      { type: "button", "aria-label": "PNG of the most similar", onclick: png },
      "PNG",
    ),
  ];
  const element = card(cardHead("Most similar", subtitle, exports_), controls, body);

  const markOne = (button: HTMLButtonElement, handle: string) => {
    const compared = current?.compared ?? [];
    const isFull = compared.length >= COMPARED_MAX - 1;
    const isCompared = [current?.handle ?? "", ...compared].some((other) =>
      sameHandle(other, handle),
    );
    button.disabled = isFull || isCompared;
    button.title = isCompared
      ? "already compared"
      : isFull
        ? `${COMPARED_MAX} at most: remove one first`
        : `Compare with ${handle}`;
  };
  const plus = (handle: Cell): HTMLElement => {
    const name = String(handle);
    const button = h(
      "button.quiet",
      {
        type: "button",
        "aria-label": `Compare with ${name}`,
        "data-handle": name,
        onclick: () => onCompare(name),
      },
      "+",
    ) as HTMLButtonElement;
    markOne(button, name);
    return button;
  };
  const mark = (question: Question) => {
    current = question;
    for (const button of body.querySelectorAll<HTMLButtonElement>("button[data-handle]"))
      markOne(button, button.dataset.handle ?? "");
  };
  const ask: SimilarPanel["ask"] = async (question, asker, profile, signal) => {
    const mine = ++asked;
    current = question;
    inputs.forEach(
      (input, name) =>
        input !== document.activeElement && (input.value = question.filters[name] ?? ""),
    );
    const request = requestFor(question, "similar", profile, similarParameters(question));
    try {
      const answer = await call<SimilarAnswer>(request.path, request.body, signal);
      // A later question may have been answered before this one.
      if (mine !== asked) return;
      curl = asCurl(request.path, request.body);
      who = asker;
      spec = toTable(answer, plus);
      replace(subtitle, summary(answer, question.filters));
      replace(
        body,
        answer.found > 0
          ? bareTable(spec, "Most similar accounts")
          : h("p.muted", null, "Nobody passes these filters. Loosen one above."),
      );
    } catch (problem) {
      if (signal.aborted || mine !== asked) return;
      curl = asCurl(request.path, request.body);
      spec = null;
      replace(subtitle, "no answer");
      replace(
        body,
        failure((problem as ApiError).message, () => void ask(question, asker, profile, signal)),
      );
    }
  };
  return { element, ask, curl: () => curl, mark };
}

/** "the 10 nearest with country India, among 1,314 accounts, ...; exact" */
function summary(answer: SimilarAnswer, filters: Record<string, string>): string {
  const words = Object.entries(filters).filter(([name, text]) => name in FILTER_WORDS && text);
  const among =
    words.length > 0
      ? ` with ${words.map(([name, text]) => `${FILTER_WORDS[name]} ${text}${name.endsWith("followers") ? " followers" : ""}`).join(", ")}`
      : "";
  const short =
    answer.found < answer.k ? `only ${whole(answer.found)}` : `the ${whole(answer.found)} nearest`;
  return `${short}${among}, among ${whole(answer.candidates)} accounts, by all figures that the model compares; ${answer.exact ? "exact" : "approximate"}`;
}

type Item = SimilarAnswer["similar"][number];

function toTable(answer: SimilarAnswer, plus: (handle: Cell) => HTMLElement): TableSpec {
  const columns: { spec: ColumnSpec; value: (item: Item) => Cell }[] = [
    { spec: { title: "account", show: handleLink }, value: (item) => item.handle },
    { spec: { title: "category" }, value: (item) => item.category },
    { spec: { title: "country" }, value: (item) => item.country },
    {
      spec: { title: "audience", help: "country of most of the audience" },
      value: (item) => item.audience_country ?? null,
    },
    {
      spec: { title: "followers", show: (value) => compact(value as number) },
      value: (item) => item.followers,
    },
    {
      spec: {
        title: "similarity",
        help: "1 ÷ (1 + distance): 100 % is equal",
        show: (value) => percent(value as number, 0),
      },
      value: (item) => item.similarity,
    },
    {
      spec: {
        title: "distance",
        help: "in standard deviations of the features",
        show: (value) => points(value as number, 2),
      },
      value: (item) => item.distance,
    },
    { spec: { title: "compare", isDrawn: true, show: plus }, value: (item) => item.handle },
  ];
  // A table that does not know a thing of anybody has no column of it.
  const kept = columns.filter((column) =>
    answer.similar.some((item) => column.value(item) !== null),
  );
  return {
    columns: kept.map((column) => column.spec),
    rows: answer.similar.map((item) => kept.map((column) => column.value(item))),
  };
}
