// SPDX-License-Identifier: Apache-2.0
// What a card shows when it has no chart: loading, empty, partial, failed.

import { h, type Child } from "./dom";
import { sentence, worded } from "./format";

export function skeleton(height = 260): HTMLElement {
  return h("div.skeleton", {
    style: { height: `${height}px` },
    role: "status",
    "aria-label": "Loading",
  });
}

/** Something is missing by design: why, and what would fill it. */
export function partial(text: string, ...more: Child[]): HTMLElement {
  return h("div.state", null, h("p", null, withCode(commanded(wholeSentence(worded(text))))), more);
}

/** What is to be typed is marked so, where the reason has not. */
function commanded(text: string): string {
  return text.includes("`")
    ? text
    : text.replace(
        /influence (?:train|explore)(?: FILE(?:@[\w-]+)?)*|FILE@YYYY-MM|--(?:posts|edges)(?: FILE)?/g,
        "`$&`",
      );
}

/** Reasons come as fragments: "growth needs two snapshots". */
function wholeSentence(text: string): string {
  return sentence(text) + (/[.!?`]$/.test(text) ? "" : ".");
}

export function failure(text: string, retry?: () => void): HTMLElement {
  return h(
    "div.state.failed",
    { role: "alert" },
    h("p", null, text),
    retry && h("button", { type: "button", onclick: retry }, "Try again"),
  );
}

/** Commands in backquotes become code. */
export function withCode(text: string): Child[] {
  return text.split("`").map((part, i) => (i % 2 ? h("code", null, part) : part));
}

export function note(level: "warning" | "info", ...children: Child[]): HTMLElement {
  if (typeof children[0] === "string") children[0] = sentence(worded(children[0]));
  return h(
    `div.note.${level}`,
    null,
    h("span.note-mark", { "aria-hidden": "true" }, level === "warning" ? "!" : "i"),
    h("div", null, children),
  );
}
