// SPDX-License-Identifier: Apache-2.0
// The most similar accounts, with filters that the daemon applies.

import { ApiError, asCurl, call, type Profile, type SimilarAnswer } from "../../api";
import { card, cardHead } from "../../chart";
import { debounce, h, replace, type Child } from "../../dom";
import { compact, percent, plain, whole } from "../../format";
import type { Report } from "../../report";
import { failure, skeleton } from "../../states";
import { bareTable, downloadCsv, handleLink, type TableSpec } from "../../table";
import { requestFor, similarParameters, type Question } from "./question";

export interface SimilarPanel {
  element: HTMLElement;
  ask: (question: Question, profile: Profile, signal: AbortSignal) => Promise<void>;
  curl: () => string;
}

export function similarPanel(report: Report, onFilter: (name: string, text: string) => void, onCompare: (handle: string) => void): SimilarPanel {
  const body = h("div", { "aria-live": "polite" }, skeleton(240));
  const subtitle = h("span", null, "nearest by size, engagement and activity");
  let spec: TableSpec | null = null;
  let curl = "";
  const inputs = new Map<string, HTMLInputElement | HTMLSelectElement>();

  const choice = (name: string, label: string, names: string[]): Child => {
    const select = h("select", { onchange: () => onFilter(name, select.value) }, h("option", { value: "" }, "any"), names.filter((text) => text !== "(other)").map((text) => h("option", { value: text }, text))) as HTMLSelectElement;
    inputs.set(name, select);
    return names.length > 0 && h("label.field", null, label, select);
  };
  const text = (name: string, label: string, placeholder: string): Child => {
    const input = h("input", { type: "text", size: 7, placeholder, autocomplete: "off" }) as HTMLInputElement;
    input.addEventListener("input", debounce(250, () => onFilter(name, input.value.trim())));
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
  const export_ = h("button.quiet", { type: "button", onclick: () => spec && downloadCsv(spec, "similar") }, "CSV");
  const element = card(cardHead("Most similar", subtitle, export_), controls, body);

  let asked = 0;
  const ask = async (question: Question, profile: Profile, signal: AbortSignal) => {
    const mine = ++asked;
    inputs.forEach((input, name) => input !== document.activeElement && (input.value = question.filters[name] ?? ""));
    const request = requestFor(question, "similar", profile, similarParameters(question));
    curl = asCurl(request.path, request.body);
    try {
      const answer = await call<SimilarAnswer>(request.path, request.body, signal);
      if (mine !== asked) return; // a later question is on its way
      spec = toTable(answer, onCompare);
      const short = answer.found < answer.k ? `only ${whole(answer.found)} pass the filters` : `the ${whole(answer.found)} nearest`;
      replace(subtitle, `${short} of ${whole(answer.candidates)} accounts, by size, engagement and activity; ${answer.exact ? "exact" : "approximate"}`);
      replace(body, answer.found > 0 ? bareTable(spec, "Most similar accounts") : h("p.muted", null, "Nobody passes these filters."));
    } catch (problem) {
      if (signal.aborted || mine !== asked) return;
      spec = null;
      replace(subtitle, "no answer");
      replace(body, failure((problem as ApiError).message, () => void ask(question, profile, signal)));
    }
  };
  return { element, ask, curl: () => curl };
}

function toTable(answer: SimilarAnswer, onCompare: (handle: string) => void): TableSpec {
  return {
    columns: [
      { title: "account", show: handleLink },
      { title: "category" },
      { title: "country" },
      { title: "followers", show: (value) => compact(value as number) },
      { title: "similarity", help: "1 ÷ (1 + distance): 100 % is equal", show: (value) => percent(value as number, 0) },
      { title: "distance", help: "in standard deviations of the features", show: (value) => plain(value as number) },
      { title: "compare", isDrawn: true, show: (handle) => h("button.quiet", { type: "button", "aria-label": `Compare with ${handle}`, onclick: () => onCompare(String(handle)) }, "+") },
    ],
    rows: answer.similar.map((item) => [item.handle, item.category, item.country, item.followers, item.similarity, item.distance, item.handle]),
  };
}
