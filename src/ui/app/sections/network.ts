// SPDX-License-Identifier: Apache-2.0
// Communities, bridges and themes. No trainer models edges yet: the section says what it needs.

import type { Context } from "../context";
import { absentSection } from "./partial";

export function network(into: HTMLElement, { report }: Context): void {
  absentSection(into, "Network", "Who mentions, tags and resembles whom: communities, the bridges between them, and their themes.", report.network, "network");
}
