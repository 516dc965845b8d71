// SPDX-License-Identifier: Apache-2.0
// What goes with a post doing better than its account's others: one card a factor, with intervals.

import { isSureAmong } from "../chance";
import type { Context } from "../context";
import { card, cardHead, chartCard } from "../chart";
import { dotHeight, dotOption } from "../charts/dots";
import { append, fileName, h, type Child } from "../dom";
import { percent, plural, sentence, whole } from "../format";
import { isThere, type Virality, type ViralityFactor, type ViralityLevel } from "../report";
import { absentSection, wanting } from "./partial";

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
    const posts = wanting(
      "With them this section shows what lifts a post above the level of its own account (hour, weekday, hashtags, mentions, caption, kind), each with its interval.",
      `influence ${report.kind === "explore" ? "explore" : "train"} ACCOUNTS.csv --posts POSTS.csv`,
    );
    return absentSection(into, "Virality", LEAD, found, "virality", posts, timing);
  }
  append(into, [
    h("div.section-head", null, h("h2", null, "Virality"), h("p.lead", null, LEAD)),
    h(
      "div.cards",
      null,
      explainedCard(found),
      byWeight(found).map((factor) => factorCard(factor, comparisonsOf(found))),
    ),
  ]);
}

/** What explains most comes first. */
function byWeight({ factors }: Virality): ViralityFactor[] {
  return [...factors].sort((a, b) => b.r2_lost - a.r2_lost);
}

/** "+12 %" of likes. */
function lift(effect: number | null): string {
  return effect === null ? "–" : `${effect > 0 ? "+" : ""}${percent(effect, 0)}`;
}

function explainedCard(found: Virality): Child {
  const { n, accounts, accounts_share, r2, factors } = found;
  const weak = r2 < SMALL_R2;
  const ranked = byWeight(found);
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
    subtitle: `share of the differences in likes (ln) among an account's own posts that only this explains; ${plural(n, "post")} of ${plural(accounts, "account")}${drawn}`,
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

/** Whether a level differs from its reference even if all comparisons of the page are counted
 * (Bonferroni): of thirty, one or two leave out zero by chance. */
function isSure({ ln_ratio, ln_low, ln_high }: ViralityLevel, comparisons: number): boolean {
  return (
    ln_ratio !== null &&
    ln_low !== null &&
    ln_high !== null &&
    isSureAmong(comparisons, ln_ratio, ln_low, ln_high)
  );
}

/** The level farthest from its reference. */
function farthest(levels: ViralityLevel[]): ViralityLevel | undefined {
  return [...levels].sort((a, b) => Math.abs(b.ln_ratio ?? 0) - Math.abs(a.ln_ratio ?? 0))[0];
}

/** 4–10, as people write ranges. */
function ranged(name: string): string {
  return name.replace(/(\d)-(\d)/g, "$1–$2");
}

/** What is sure; else what would be if it stood alone; else that there is nothing. */
function finding({ name, levels }: ViralityFactor, reference: string, comparisons: number): string {
  const says = ({ name: level, effect }: ViralityLevel) =>
    `${sentence(name)}: ${percent(Math.abs(effect ?? 0), 0)} ${(effect ?? 0) < 0 ? "fewer" : "more"} likes at “${ranged(level)}” than at “${reference}”`;
  const sure = farthest(levels.filter((level) => isSure(level, comparisons)));
  if (sure) return says(sure);
  const maybe = farthest(
    levels.filter(({ low, high }) => low !== null && high !== null && low * high > 0),
  );
  return maybe
    ? `${says(maybe)}, which may be chance`
    : `${sentence(name)}: no difference that is more than chance`;
}

function factorCard(factor: ViralityFactor, comparisons: number): Child {
  const { name, levels } = factor;
  const reference = ranged(levels.find((level) => level.reference)?.name ?? "the rest");
  const title = finding(factor, reference, comparisons);
  const rows = levels.map((level) => ({
    name: level.reference ? `${ranged(level.name)} (compared with)` : ranged(level.name),
    value: level.reference ? 0 : level.effect,
    low: level.low,
    high: level.high,
    n: level.accounts,
    isUnsure: !level.reference && !isSure(level, comparisons),
  }));
  return chartCard({
    title,
    subtitle: `likes against “${reference}” of the same account; posts of rare kinds or not known stand with it; 95 % intervals, clustered by account`,
    reading: `Left of the dashed line fewer likes, right of it more. Filled: sure even as one of ${whole(comparisons)} comparisons; hollow: may be chance.`,
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
