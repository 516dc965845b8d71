// SPDX-License-Identifier: Apache-2.0
// What to begin with: the largest account, the one that engages most, a small one, and a typed
// profile.

import { h } from "../../dom";
import type { Column, Num, Report } from "../../report";

const EXAMPLE: Record<string, string> = { followers: "250k", posts: "800", avg_likes: "9k" };

export function presetButtons(
  report: Report,
  fields: Column[],
  onChoose: (handle: string) => void,
  onExample: (typed: Record<string, string>) => void,
): HTMLElement {
  const { scatter } = report.explore;
  const most = (figures: Num[], sign: number) =>
    figures.reduce<number>(
      (found, figure, i) =>
        scatter.handle[i] &&
        figure !== null &&
        (found < 0 || sign * figure > sign * (figures[found] ?? 0))
          ? i
          : found,
      -1,
    );
  const chosen: [number, string][] = [
    [most(scatter.followers, 1), "the most followers"],
    [most(scatter.measure, 1), "the most engagement"],
    [most(scatter.followers, -1), "the fewest followers"],
  ];
  const why = new Map<string, string>();
  for (const [i, reason] of chosen) {
    const handle = scatter.handle[i];
    if (handle && !why.has(handle)) why.set(handle, reason);
  }
  const known = () =>
    Object.fromEntries(
      Object.entries(EXAMPLE).filter(([name]) => fields.some((field) => field.name === name)),
    );
  return h(
    "div.presets",
    null,
    h("span.muted.small", null, "Try "),
    [...why].map(([handle, reason]) =>
      h(
        "button.quiet",
        {
          type: "button",
          title: `of those drawn in Explore, ${reason}`,
          onclick: () => onChoose(handle),
        },
        handle,
      ),
    ),
    h("button.quiet", { type: "button", onclick: () => onExample(known()) }, "a typed profile"),
  );
}
