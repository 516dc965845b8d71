// SPDX-License-Identifier: Apache-2.0
// What kinds of accounts there are: what sets each apart, where they lie, who belongs to them.

import type { Context } from "../context";
import { isNarrow, tipRows } from "../axes";
import { card, cardHead, chartCard, type ChartCard } from "../chart";
import { inkOn, matrixOption } from "../charts/matrix";
import { mapOption } from "../charts/map";
import { toggleLegend } from "../controls";
import { append, h, replace, type Child } from "../dom";
import {
  change,
  compact,
  figureName,
  figureNames,
  humanName,
  percent,
  plain,
  plural,
  points,
  sentence,
  whole,
  withUnit,
} from "../format";
import { isThere, type Archetypes, type Report } from "../report";
import { note } from "../states";
import { askAbout, clickHint, handleLink, nameCell, table } from "../table";
import { groupColour, rampAt, theme } from "../theme";
import { absentSection } from "./partial";

const LEAD = "Kinds of accounts that the figures themselves suggest, without any label.";

export function archetypes(into: HTMLElement, { report }: Context): void {
  const found = report.archetypes;
  if (!isThere(found)) return absentSection(into, "Archetypes", LEAD, found, "archetypes");
  append(into, [
    h("div.section-head", null, h("h2", null, "Archetypes"), h("p.lead", null, LEAD)),
    h(
      "div.cards",
      null,
      card(
        note(found.strength === "weak" ? "warning" : "info", `${found.text.replace(/\.$/, "")}.`),
        triedTable(found),
      ),
      profileCard(found),
      membersCards(report, found),
      projectionCard(report, found),
    ),
  ]);
}

/** Why so many kinds: what each number gave. */
function triedTable({ candidates, k: chosen }: Archetypes): Child {
  const { k, silhouette, stability } = candidates;
  if (k.length === 0) return null;
  return h(
    "details",
    null,
    h("summary", null, `Why ${chosen} kinds: ${k[0]} to ${k[k.length - 1]} were tried`),
    table(
      {
        columns: [
          { title: "kinds", show: (n) => (n === chosen ? h("strong", null, `${n} ✓`) : String(n)) },
          {
            title: "how far apart",
            help: "silhouette; 1: clearly apart, 0: no groups",
            show: (value) => points(value as number, 2),
          },
          ...(stability
            ? [
                {
                  title: "found again",
                  help: "how alike the kinds of other samples of the accounts are; 1: the same, 0: by chance",
                  show: (value: unknown) => points(value as number, 2),
                },
              ]
            : []),
        ],
        rows: k.map((n, i) => [n, silhouette[i], ...(stability ? [stability[i]] : [])]),
      },
      "Numbers of kinds tried",
    ),
    h(
      "p.reading",
      null,
      "How far apart (silhouette): 1 is clearly apart, 0 no groups. Found again on other samples of the accounts: 1 is the same kinds, 0 as by chance.",
    ),
  );
}

/** What margins and names of rows take of the width. */
const BESIDE_PX = { phone: 180, wide: 440 };
const WIDEST_PX = 1248;
const CHARACTER_PX = 7;

/** Room for the name of a kind under its column. */
function columnWidth(kinds: number): number {
  const room = isNarrow()
    ? innerWidth - BESIDE_PX.phone
    : Math.min(innerWidth, WIDEST_PX) - BESIDE_PX.wide;
  return room / kinds;
}

/** Lines of text under the columns: names, broken to their width, and numbers. */
function linesUnder(names: string[]): number {
  const longest = Math.max(...names.map((name) => name.length));
  return Math.ceil((longest * CHARACTER_PX) / columnWidth(names.length) + 0.5) + 1;
}

function profileCard(found: Archetypes): Child {
  const widest = Math.max(1, ...found.centroids.flat().map(Math.abs));
  // The figures that tell the kinds apart come first.
  const order = found.features
    .map((_, j) => j)
    .sort((a, b) => spreadOf(b) - spreadOf(a))
    .slice(0, 14);
  function spreadOf(j: number): number {
    return (
      Math.max(...found.centroids.map((row) => row[j])) -
      Math.min(...found.centroids.map((row) => row[j]))
    );
  }
  const first = order[0];
  return chartCard({
    title: order.length
      ? `${sentence(figureName(found.features[first]))} tells the ${found.k} kinds apart most`
      : `${found.k} kinds`,
    subtitle: "mean of each kind, in standard deviations from the mean of all accounts",
    reading: "Blue: more than usual; orange: less. Values beyond 1 are marked traits.",
    name: "archetypes",
    height: order.length * 30 + 56 + 16 * linesUnder(found.names),
    table: {
      columns: [
        { title: "feature", show: nameCell },
        ...found.names.map((name) => ({
          title: name,
          show: (z: unknown) => change(z as number, 2),
        })),
      ],
      rows: order.map((j) => [found.features[j], ...found.centroids.map((row) => row[j])]),
    },
    option: () => {
      const { diverging } = theme();
      return matrixOption({
        columnWidth: columnWidth(found.k),
        columns: found.names.map((name, i) => `${name}\n${whole(found.size[i])}`),
        rows: figureNames(order.map((j) => found.features[j])),
        cells: order.flatMap((j, row) =>
          found.centroids.map((centroid, column) => {
            const colour = rampAt(diverging, 0.5 + centroid[j] / widest / 2);
            return {
              column,
              row,
              colour,
              text: change(centroid[j], 1),
              textColour: inkOn(colour),
              tip: tipRows(found.names[column], [
                [figureName(found.features[j]), `${change(centroid[j], 2)} sd`],
              ]),
            };
          }),
        ),
      });
    },
  }).element;
}

function membersCards(report: Report, found: Archetypes): Child {
  const total = found.size.reduce((sum, size) => sum + size, 0) || 1;
  const { measure } = report.explore;
  const handles = (list: string[] | undefined) =>
    list?.length ? list.map((handle, i) => [i > 0 && ", ", handleLink(handle)]) : "–";
  return h(
    "div.cards.two",
    null,
    found.names.map((name, i) => {
      const { followers, measure: value, posts } = found.figures[i];
      return card(
        cardHead(
          [
            h("i.swatch", { style: { background: `var(--series-${i})` } }),
            "\u00a0\u00a0",
            sentence(name),
          ],
          `${plural(found.size[i], "account")}, ${percent(found.size[i] / total, 0)}`,
        ),
        h("dl.facts", null, [
          [
            h("dt", null, "Medians"),
            h(
              "dd",
              null,
              [
                followers !== null && `${compact(followers)} followers`,
                value !== null && `${withUnit(value, measure.unit)} ${humanName(measure.name)}`,
                posts !== null && `${compact(posts)} posts`,
              ]
                .filter(Boolean)
                .join(" · ") || "–",
            ),
          ],
          [h("dt", null, "Typical"), h("dd", null, handles(found.typical[i]))],
          [h("dt", null, "Extreme"), h("dd", null, handles(found.extreme[i]))],
        ]),
      );
    }),
  );
}

function projectionCard(report: Report, found: Archetypes): Child {
  const { projection } = found;
  const hidden = new Set<number>();
  const legend = h("div");
  const kinds = found.names.map((name, i) => ({ name, colour: `var(--series-${i})` }));
  const made: ChartCard = chartCard({
    title:
      found.strength === "weak"
        ? "The kinds run into each other"
        : found.strength === "fair"
          ? "The kinds lie apart, with blurred borders"
          : "The kinds lie clearly apart",
    subtitle: `their two main directions, which hold ${percent((projection.explained[0] ?? 0) + (projection.explained[1] ?? 0), 0)} of the differences (principal components); ${plural(projection.handle.length, "account")} shown`,
    reading: `Near each other: alike.${clickHint()}`,
    name: "archetype-map",
    height: 440,
    controls: legend,
    legend: () => kinds,
    table: {
      columns: [
        { title: "account", show: handleLink },
        { title: "archetype" },
        { title: "followers", show: (n) => compact(n as number) },
        { title: "first", show: (x) => plain(x as number) },
        { title: "second", show: (y) => plain(y as number) },
      ],
      rows: projection.handle.map((handle, i) => [
        handle,
        found.names[projection.cluster[i]],
        projection.followers[i],
        projection.x[i],
        projection.y[i],
      ]),
    },
    option: () =>
      mapOption({
        handle: projection.handle,
        x: projection.x,
        y: projection.y,
        explained: projection.explained,
        colour: (i) => groupColour(projection.cluster[i]),
        isShown: (i) => !hidden.has(projection.cluster[i]),
        rows: (i) => [
          ["archetype", found.names[projection.cluster[i]]],
          ["followers", compact(projection.followers[i])],
          ["category", report.groups.category[projection.category[i]] ?? "–"],
        ],
      }),
    onClick: (event) => {
      const handle = event.data?.[2] !== undefined ? projection.handle[event.data[2]] : null;
      if (handle) askAbout(handle);
    },
  });
  replace(
    legend,
    toggleLegend(kinds, hidden, () => made.redraw()),
  );
  return made.element;
}
