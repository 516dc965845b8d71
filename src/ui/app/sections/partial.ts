// SPDX-License-Identifier: Apache-2.0
// Sections whose figures a bundle may lack altogether.

import { card } from "../chart";
import { append, h, type Child } from "../dom";
import { reason, type Maybe } from "../report";
import { partial } from "../states";

/** How to have what is missing. */
export function wanting(what: string, how: string): Child {
  return [h("p", null, what), h("p", null, h("code", null, how))];
}

export function absentSection(
  into: HTMLElement,
  title: string,
  lead: string,
  part: Maybe<object>,
  name: string,
  ...more: Child[]
): void {
  append(into, [
    h("div.section-head", null, h("h2", null, title), h("p.lead", null, lead)),
    h("div.cards", null, card(partial(reason(part, name), ...more))),
  ]);
}
