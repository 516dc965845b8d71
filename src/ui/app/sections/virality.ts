// SPDX-License-Identifier: Apache-2.0
// What goes with a post doing better than its account's others: one card a factor, with intervals.

import type { Context } from "../context";
import { card, cardHead, chartCard } from "../chart";
import { dotHeight, dotOption } from "../charts/dots";
import { append, fileName, h, type Child } from "../dom";
import { percent, plural, sentence, whole } from "../format";
import { isThere, type Virality, type ViralityFactor, type ViralityLevel } from "../report";
import { absentSection } from "./partial";

const LEAD =
  "What goes with a post above its account's own level: each account is compared with itself only.";
const SMALL_R2 = 0.25;

export function virality(into: HTMLElement, { report }: Context): void {
  const found = report.virality;
  if (!isThere(found)) {
    const timing =
      isThere(report.explore.timing) &&
      h(
        "p",
        null,
        "When posts were made, and how they did by hour: ",
        h("a", { href: "#/explore" }, "Explore → Timing"),
      );
    return absentSection(into, "Virality", LEAD, found, "virality", timing);
  }
  append(into, [
    h("div.section-head", null, h("h2", null, "Virality"), h("p.lead", null, LEAD)),
    h(
      "div.cards",
      null,
      explainedCard(found),
      found.factors.map((factor) => factorCard(factor, comparisonsOf(found))),
    ),
  ]);
}

/** "+12 %" of likes. */
function lift(effect: number | null): string {
  return effect === null ? "–" : `${effect > 0 ? "+" : ""}${percent(effect, 0)}`;
}

function explainedCard({ n, accounts, accounts_share, r2, factors }: Virality): Child {
  const weak = r2 < SMALL_R2;
  const ranked = [...factors].sort((a, b) => b.r2_lost - a.r2_lost);
  const drawn =
    accounts_share < 1 ? `; ${percent(accounts_share, 0)} of the accounts, drawn at random` : "";
  if (factors.length === 0)
    return card(
      cardHead(
        "Nothing to compare",
        `${plural(n, "post")} of ${plural(accounts, "account")}: no kind of post is frequent enough`,
      ),
    );
  return chartCard({
    title: `All of this together explains ${percent(r2, 1)} of how posts differ${weak ? ": most is not in the data" : ""}`,
    subtitle: `share of the variance of ln likes within accounts that only this factor explains; ${plural(n, "post")} of ${plural(accounts, "account")}${drawn}`,
    reading:
      "These are associations among posts as they were made, not what would happen if a post were made otherwise.",
    name: "virality",
    height: dotHeight(ranked.length),
    table: {
      columns: [
        { title: "factor" },
        { title: "explains alone", show: (share) => percent(share as number, 2) },
      ],
      rows: ranked.map((factor) => [factor.name, factor.r2_lost]),
    },
    option: () =>
      dotOption(
        ranked.map((factor) => ({
          name: factor.name,
          value: factor.r2_lost,
          low: null,
          high: null,
        })),
        { unit: "fraction", axis: "share explained by this alone", bars: true, interval: "" },
      ),
  }).element;
}

/** How many levels the page compares with their references. */
function comparisonsOf({ factors }: Virality): number {
  return factors
    .flatMap((factor) => factor.levels)
    .filter((level) => !level.reference && level.ln_ratio !== null).length;
}

/** Two-sided p of a normal z: Abramowitz and Stegun (1964), 7.1.26. */
function pValue(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  return (
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
    Math.exp(-x * x)
  );
}

/** Levels that differ from their reference even if all comparisons of the page are counted
 * (Bonferroni), farthest from it first: of thirty, one or two leave out zero by chance. */
function sureLevels(levels: ViralityLevel[], comparisons: number): ViralityLevel[] {
  const sure = levels.filter(
    ({ ln_ratio, ln_low, ln_high }) =>
      ln_ratio !== null &&
      ln_low !== null &&
      ln_high !== null &&
      ln_high > ln_low &&
      comparisons * pValue(ln_ratio / ((ln_high - ln_low) / (2 * 1.96))) < 0.05,
  );
  return sure.sort((a, b) => Math.abs(b.ln_ratio ?? 0) - Math.abs(a.ln_ratio ?? 0));
}

function factorCard({ name, levels }: ViralityFactor, comparisons: number): Child {
  const reference = levels.find((level) => level.reference)?.name ?? "the rest";
  const [most] = sureLevels(levels, comparisons);
  const title = most
    ? `${sentence(name)}: ${most.name} goes with ${percent(Math.abs(most.effect ?? 0), 0)} ${(most.effect ?? 0) < 0 ? "fewer" : "more"} likes than ${reference}`
    : `${sentence(name)}: no difference that is sure among ${whole(comparisons)} comparisons`;
  const rows = levels.map((level) => ({
    name: level.reference ? `${level.name} (compared with)` : level.name,
    value: level.reference ? 0 : level.effect,
    low: level.low,
    high: level.high,
    n: level.accounts,
  }));
  return chartCard({
    title,
    subtitle: `likes against ${reference} of the same account; posts of rare kinds or not known stand with it; 95 % intervals clustered by account, each for itself; the title counts all ${whole(comparisons)} comparisons`,
    reading:
      "Left of the dashed line fewer likes, right of it more; an interval across the line may as well be no effect.",
    name: `virality-${fileName(name)}`,
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: name },
        { title: "posts", show: (n) => whole(n as number) },
        { title: "accounts", show: (n) => whole(n as number) },
        { title: "likes", show: (v) => lift(v as number | null) },
        { title: "low", show: (v) => lift(v as number | null) },
        { title: "high", show: (v) => lift(v as number | null) },
      ],
      rows: levels.map((level) => [
        level.name,
        level.n,
        level.accounts,
        level.effect,
        level.low,
        level.high,
      ]),
    },
    option: () =>
      dotOption(rows, {
        unit: "fraction",
        axis: "more or fewer likes",
        reference: 0,
        interval: "95 % interval",
      }),
  }).element;
}
