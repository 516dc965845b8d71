// SPDX-License-Identifier: Apache-2.0
// All figures at once: principal components of the scatter's accounts.

import { card, cardHead, chartCard } from "../../chart";
import { mapOption } from "../../charts/map";
import type { Child } from "../../dom";
import { compact, humanName, percent, plain, plural, withUnit } from "../../format";
import { isThere, reason, type Report } from "../../report";
import { partial } from "../../states";
import { askAbout, handleLink } from "../../table";
import { orderedColours, theme } from "../../theme";

export function projectionCard(report: Report): Child {
  const { projection, scatter, measure } = report.explore;
  if (!isThere(projection))
    return card(cardHead("All figures at once"), partial(reason(projection, "projection")));
  const shown = projection.x.filter((x) => x !== null).length;
  const shareOf = (projection.explained[0] ?? 0) + (projection.explained[1] ?? 0);
  return chartCard({
    title: `Two directions hold ${percent(shareOf, 0)} of the differences in ${plural(projection.columns.length, "figure")}`,
    subtitle: `principal components of ${projection.columns.map(humanName).join(", ")}; ${plural(shown, "account")}; the stronger the colour, the more followers`,
    reading:
      "Near each other: alike in all figures together. An arrow points where its figure grows.",
    name: "projection",
    height: 440,
    table: {
      columns: [
        { title: "account", show: handleLink },
        { title: "first", show: (x) => plain(x as number) },
        { title: "second", show: (y) => plain(y as number) },
      ],
      rows: projection.x.map((x, i) => [scatter.handle[i], x, projection.y[i]]),
    },
    option: () => {
      const tiers = orderedColours(report.groups.tier.length);
      return mapOption({
        handle: scatter.handle,
        x: projection.x,
        y: projection.y,
        explained: projection.explained,
        colour: (i) => tiers[scatter.tier[i]] ?? theme().other,
        rows: (i) => [
          ["followers", compact(scatter.followers[i])],
          [humanName(measure.name), withUnit(scatter.measure[i], measure.unit)],
        ],
        arrows: projection.columns.map((column, i) => ({
          name: humanName(column),
          x: projection.loadings[0][i],
          y: projection.loadings[1][i],
        })),
      });
    },
    onClick: (event) => {
      const handle = event.data?.[2] !== undefined ? scatter.handle[event.data[2]] : null;
      if (handle) askAbout(handle);
    },
  }).element;
}
