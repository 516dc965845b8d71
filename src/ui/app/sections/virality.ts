// SPDX-License-Identifier: Apache-2.0
// What lifts a post above its account's usual. No trainer models posts yet: the section says what
// it needs, and where the seen timing of posts is shown.

import type { Context } from "../context";
import { h } from "../dom";
import { isThere } from "../report";
import { absentSection } from "./partial";

export function virality(into: HTMLElement, { report }: Context): void {
  const timing = isThere(report.explore.timing) && h("p", null, "When posts were made, and how they did by hour: ", h("a", { href: "#/explore" }, "Explore → Timing"));
  absentSection(into, "Virality", "What lifts a post above its account's own average, with the size of each effect.", report.virality, "virality", timing);
}
