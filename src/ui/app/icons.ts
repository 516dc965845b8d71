// SPDX-License-Identifier: Apache-2.0
// Icons as strokes on an 18 by 18 grid.

import { h } from "./dom";

const STROKES: Record<string, string> = {
  overview: "M2.5 2.5h5v5h-5zM10.5 2.5h5v5h-5zM2.5 10.5h5v5h-5zM10.5 10.5h5v5h-5z",
  ask: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12 12l3.5 3.5",
  explore: "M2.5 2.5v13h13M6 11.5h.01M8.5 8.5h.01M11 10h.01M12 5.5h.01M9 5h.01M14 7.5h.01",
  data: "M2.5 3.5h13v11h-13zM2.5 7.5h13M7 3.5v11",
  models: "M2.5 13.5l4-4 3 2.5 6-7M11.5 5h4v4",
  archetypes: "M9 2l6.5 4.7-2.5 7.8H5L2.5 6.7zM9 6l3 2.2-1.2 3.6H7.2L6 8.2z",
  network:
    "M4 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5.8 4.8l6.3 1.7M4.6 5.9l1.9 6.2M12.6 8.5l-4.3 4",
  virality: "M2.5 15.5l5-5M10 2.5l1.6 3.9 3.9 1.6-3.9 1.6L10 13.5l-1.6-3.9L4.5 8l3.9-1.6z",
  live: "M2 9.5h3l2-6 3.5 11 2.5-7 1 2h2",
  sun: "M9 12a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM9 1.5v1.5M9 15v1.5M1.5 9H3M15 9h1.5M3.7 3.7l1 1M13.3 13.3l1 1M3.7 14.3l1-1M13.3 4.7l1-1",
  moon: "M15 10.5A6.5 6.5 0 0 1 7.5 3a6.5 6.5 0 1 0 7.5 7.5z",
  close: "M4.5 4.5l9 9M13.5 4.5l-9 9",
};

export function icon(name: string): HTMLElement {
  if (name === "logo")
    return h(
      "svg",
      { viewBox: "0 0 16 16", "aria-hidden": "true" },
      h("rect", { width: 16, height: 16, rx: 3, fill: "#0072B2" }),
      h("path", {
        d: "M4 12V8M8 12V4M12 12V6",
        stroke: "#fff",
        "stroke-width": 2,
        "stroke-linecap": "round",
      }),
    );
  return h(
    "svg",
    {
      viewBox: "0 0 18 18",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.5,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
    },
    h("path", { d: STROKES[name] }),
  );
}
