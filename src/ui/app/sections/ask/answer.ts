// SPDX-License-Identifier: Apache-2.0
// The answer: score with interval, tier with the audience check, archetype, the parts of the
// composite. What was answered before stays as a ghost.

import type { ClusterAnswer, GrowthAnswer, Profile, ScoreAnswer, TierAnswer } from "../../api";
import { card, cardHead } from "../../chart";
import { h, type Child } from "../../dom";
import {
  change,
  figureName,
  percent,
  plain,
  points,
  sentence,
  share as shareText,
} from "../../format";
import { isFormula, isThere, type Report } from "../../report";
import { note } from "../../states";
import { scoreScale, type Scale } from "./scale";

/** The four answers to one question. */
export interface Answer {
  score: ScoreAnswer;
  tier: TierAnswer;
  cluster: ClusterAnswer;
}

/** What the data themselves say the score is, where it learned from a label. */
export function givenScore(score: ScoreAnswer, profile: Profile): number | null {
  const given = isFormula(score) ? undefined : profile[score.target];
  return typeof given === "number" ? given : null;
}

export interface Ghost {
  answer: Answer;
  /** What it was: "as catalogued", "before". */
  name: string;
}

const NOVEL = 98;
/** More than so many names are folded. */
const IMPUTED_SHOWN = 3;

function at(share: number): string {
  return `${Math.min(Math.max(share, 0), 1) * 100}%`;
}

/** A track from low to high: the interval as a band, the score as a point, the ghost as a ring,
 * what the data give as a line. */
export function intervalTrack(
  answer: ScoreAnswer,
  ghost: ScoreAnswer | null,
  { low, high, show }: Scale,
  given: number | null = null,
): HTMLElement {
  const place = (value: number) => at((value - low) / (high - low));
  const band = (of: ScoreAnswer, kind: string) =>
    h(`i.band.${kind}`, {
      style: {
        left: place(of.interval.low),
        width: `calc(${place(of.interval.high)} - ${place(of.interval.low)})`,
      },
    });
  const tick = (value: number) => show(value).replace(/\.0$/, "");
  return h(
    "div.track",
    {
      role: "img",
      "aria-label": `Score ${show(answer.score)}, interval ${show(answer.interval.low)} to ${show(answer.interval.high)}${given === null ? "" : `, given in the data ${show(given)}`}`,
    },
    band(answer, "now"),
    ghost &&
      h("i.dot.ghost", {
        style: { left: place(ghost.score) },
        title: `before: ${show(ghost.score)}`,
      }),
    given !== null &&
      h("i.given", { style: { left: place(given) }, title: `given in the data: ${show(given)}` }),
    h("i.dot.now", { style: { left: place(answer.score) } }),
    h("span.tick", { style: { left: "0%" } }, tick(low)),
    h("span.tick", { style: { left: "50%" } }, tick((low + high) / 2)),
    h("span.tick.end", { style: { left: "100%" } }, tick(high)),
  );
}

/** `given`: the label of this very account, null where there is none or its figures were
 * changed. */
export function scoreCard(
  report: Report,
  answer: Answer,
  ghost: Ghost | null,
  given: number | null,
): HTMLElement {
  const { score } = answer;
  const before = ghost?.answer.score ?? null;
  const scale = scoreScale(report, score, before);
  const { show } = scale;
  const delta = before ? score.score - before.score : null;
  return card(
    cardHead(
      "Score",
      isFormula(score)
        ? "the open formula of percentiles, 0 to 100"
        : `${score.target.replace(/_/g, " ")} as the model expects it${scale.name && `, in ${scale.name}`}`,
    ),
    h(
      "div.score-line",
      null,
      h(
        "output.score-value",
        { title: `score of /score, model ${score.model}` },
        show(score.score),
      ),
      delta !== null &&
        ghost &&
        h(
          delta >= 0 ? "span.delta.up" : "span.delta.down",
          { title: `was ${show(before!.score)} ${ghost.name}` },
          scale.change(delta),
          h("span.muted.small", null, ` against ${show(before!.score)} ${ghost.name}`),
        ),
    ),
    intervalTrack(score, before, scale, given),
    intervalText(score, show),
    given !== null && givenText(score, given, scale),
    h(
      "p.reading",
      {
        title: `percentile ${points(score.percentile, 2)} of /score, among the scores of all accounts in the bundle`,
      },
      placeOf(score.percentile),
    ),
    score.growth && growthText(score.growth),
    !isFormula(score) && [noveltyNote(score, "the score"), imputedNote(score.imputed, "")],
    score.unknown_fields &&
      note("warning", `The daemon does not know: ${score.unknown_fields.join(", ")}.`),
  );
}

/** Higher than 0 % or 100 % of the accounts would be higher than none or all. */
function placeOf(percentile: number): string {
  if (percentile > 99) return "Among the highest 1 % of the accounts in this bundle.";
  if (percentile < 1) return "Among the lowest 1 % of the accounts in this bundle.";
  return `Higher than ${percent(percentile / 100, 0)} of the accounts in this bundle.`;
}

function givenText(score: ScoreAnswer, given: number, { show, name }: Scale): Child {
  const { low, high } = score.interval;
  const apart = score.score - given;
  const where = given >= low && given <= high ? "inside the interval" : "outside the interval";
  return h(
    "p.reading",
    { title: `${score.target} of /influencers` },
    h("strong", null, `The data give ${show(given)}`),
    ` · ${where}; the model expects ${show(Math.abs(apart))}${name && ` ${name}`} ${apart < 0 ? "less" : "more"}.`,
  );
}

function noveltyNote({ novelty }: ScoreAnswer, what: string): Child {
  if (novelty < NOVEL) return null;
  return note(
    "warning",
    `Unlike nearly everything in the training data (novelty ${points(novelty, 0)} of 100): take ${what} as a guess.`,
  );
}

/** `of`: whose typical values, where it is not plain from the card. */
function imputedNote(imputed: string[], of: string): Child {
  if (imputed.length === 0) return null;
  const names = imputed.map(figureName).join(", ");
  if (imputed.length <= IMPUTED_SHOWN)
    return note("info", `Not given, so${of} typical values stand in for: ${names}.`);
  return note(
    "info",
    h(
      "details",
      null,
      h(
        "summary",
        null,
        `Not given, so${of} typical values stand in for ${imputed.length} figures`,
      ),
      h("p.reading", null, `${sentence(names)}.`),
    ),
  );
}

function intervalText(score: ScoreAnswer, show: Scale["show"]): Child {
  const { interval } = score;
  if (isFormula(score) && interval.low === interval.high)
    return h(
      "p.reading",
      null,
      "Exact: a formula, not an estimate, and every figure that it needs is given.",
    );
  const meaning = isFormula(score)
    ? "bounds: where the score would lie if the missing figures were the worst, and the best, seen"
    : `${percent(interval.coverage, 0)} interval: in ${Math.round(interval.coverage * 10)} of 10 cases like this the real score lay inside`;
  return h(
    "p.reading",
    null,
    h("strong", null, `${show(interval.low)} to ${show(interval.high)}`),
    ` · ${meaning}.`,
  );
}

function growthText({ forecast, low, high, coverage, months, percentile }: GrowthAnswer): Child {
  const followers = (share: number) => `${change(100 * share)} %`;
  return h(
    "p.reading",
    null,
    h("strong", null, `Growth ${followers(forecast)} in ${plain(months)} months`),
    ` · ${followers(low)} to ${followers(high)} in ${Math.round(coverage * 10)} of 10 cases; more than ${percent(percentile / 100, 0)} of the accounts. `,
    h("a", { href: "#/models" }, "How far to trust it →"),
  );
}

/** Rows of name, bar, share; the ghost as a tick on the bar. */
function shareBars(
  rows: { name: string; share: number; before: number | null; marked: boolean; help?: string }[],
): HTMLElement {
  return h(
    "div.shares",
    null,
    rows.map((row) => [
      h(
        row.marked ? "span.share-name.marked" : "span.share-name",
        { title: row.help ? `${row.name}: ${row.help}` : row.name },
        row.name,
      ),
      h(
        "span.bar-cell",
        { "aria-hidden": "true" },
        h(row.marked ? "i.marked" : "i", { style: { width: at(row.share) } }),
        row.before !== null && h("b.before", { style: { left: at(row.before) } }),
      ),
      h("span.share-value", { title: row.help }, shareText(row.share)),
    ]),
  );
}

export function tierCard(answer: Answer, ghost: Ghost | null): HTMLElement {
  const { tier, score } = answer;
  const rows = Object.entries(tier.probabilities).map(([name, share]) => ({
    name,
    share,
    before: ghost?.answer.tier.probabilities[name] ?? null,
    marked: name === tier.tier,
    help: `probability of /tier, model ${score.model}`,
  }));
  return card(
    cardHead(`Tier: ${tier.tier}`, tierTarget(tier.target)),
    shareBars(rows),
    audienceCheck(tier),
    // A formula needs neither: there it is the tier and the archetype that these weaken.
    isFormula(score) && [
      noveltyNote(score, "tier and archetype (not the score)"),
      imputedNote(tier.imputed, " for the tier"),
    ],
  );
}

function tierTarget(target: string): string {
  if (target === "size")
    return "size as its behaviour suggests, the follower count not shown to the model; calibrated probabilities";
  if (target.endsWith("_quantile"))
    return `the accounts in equal parts by ${target.slice(0, -9).replace(/_/g, " ")}; calibrated probabilities`;
  if (target.startsWith("column:"))
    return `${target.slice(7)} as given in the data; calibrated probabilities`;
  return `${target.replace(/_/g, " ")}; calibrated probabilities`;
}

/** 0 to 100 with its reasons, under what the sizes say. */
function audienceCheck(tier: TierAnswer): Child {
  const { audience } = tier;
  if (!audience) return sizeCheck(tier);
  const title =
    "audience of /tier; 100: like its peers of the same size in all that is known; a reason to look, not a proof";
  const reasons = audience.reasons.map((reason) => reason.text).join("; ");
  const unjudged = reasons
    ? `Audience: ${reasons}. No figure of 0 to 100: too little is known to give one.`
    : "Audience: cannot be judged. Too few accounts of that size are in the data, or too few of its figures are given.";
  const found =
    audience.score === null
      ? unjudged
      : [
          h("strong", null, `Audience ${points(audience.score, 0)} of 100`),
          reasons ? `: ${reasons}.` : ": nothing unlike its peers of the same size.",
        ];
  return [sizeCheck(tier), h("p.reading", { title }, found)];
}

function sizeCheck({ size }: TierAnswer): Child {
  if (!size.claimed) return h("p.reading", null, "Audience check: needs the number of followers.");
  if (!size.predicted)
    return h(
      "p.reading",
      null,
      `Size by followers: ${size.claimed}. This bundle has no model to check it against.`,
    );
  const sure = percent(size.confidence, 0);
  if (size.disagrees)
    return note(
      "warning",
      h("strong", null, "Audience check: "),
      `its followers say ${size.claimed}, its engagement behaves like ${size.predicted} (${sure} sure). Bought followers, a sleeping audience or a viral run look like this.`,
    );
  return h(
    "p.reading",
    null,
    h("strong", null, "Audience check: "),
    `${size.claimed} by followers, and it behaves like it (${sure} sure).`,
  );
}

export function clusterCard(report: Report, answer: Answer, ghost: Ghost | null): HTMLElement {
  const { cluster } = answer;
  const names = isThere(report.archetypes) ? report.archetypes.names : [];
  const rows = cluster.membership.map((share, i) => ({
    name: names[i] ?? (i === cluster.cluster ? cluster.name : `archetype ${i + 1}`),
    share,
    before: ghost?.answer.cluster.membership[i] ?? null,
    marked: i === cluster.cluster,
    help: "membership of /cluster",
  }));
  const isOdd = cluster.distance_percentile > 95;
  return card(
    cardHead(`Archetype: ${cluster.name}`, "how near each archetype's centre it is"),
    shareBars(rows.sort((a, b) => b.share - a.share).slice(0, 6)),
    h(
      "ul.chips",
      { title: "sd: standard deviations from the average of all accounts" },
      cluster.traits.slice(0, 4).map((trait) => h("li.badge", null, traitText(trait))),
    ),
    isFormula(answer.score) && imputedNote(cluster.imputed, " for the archetype"),
    isOdd &&
      h(
        "p.reading",
        null,
        `An untypical member: farther from the centre than ${cluster.distance_percentile > 99 ? "nearly all" : percent(cluster.distance_percentile / 100, 0)} of its accounts.`,
      ),
    h("p.reading", null, h("a", { href: "#/archetypes" }, "What the archetypes are →")),
  );
}

/** "average likes +1.3 sd" */
function traitText(trait: unknown): string {
  if (typeof trait === "string") return trait;
  const { feature, z } = trait as { feature: string; z: number };
  return `${figureName(feature)} ${change(z)} sd`;
}

export function compositeCard(report: Report, answer: Answer, ghost: Ghost | null): HTMLElement {
  const { composite } = answer.score;
  const help =
    isThere(report.models) && isThere(report.models.score)
      ? report.models.score.composite.parts
      : {};
  const parts = Object.entries(composite.parts);
  const rows = parts.map(([name, part]) => {
    const before = ghost?.answer.score.composite.parts[name];
    return {
      name: `${sentence(name)} × ${percent(part.weight, 0)}`,
      share: part.percentile / 100,
      before: before ? before.percentile / 100 : null,
      marked: false,
      help: help[name],
    };
  });
  return card(
    cardHead(
      isFormula(answer.score) ? "Parts of the score" : `Composite: ${points(composite.score)}`,
      "open formula: the percentile of each part among all accounts, times its weight",
    ),
    parts.length > 0
      ? shareBars(rows)
      : h("p.muted", null, "None of its parts can be computed from what is given."),
    h(
      "p.reading",
      null,
      "100 % is the highest of all accounts. Parts that cannot be computed pass their weight on to the others.",
    ),
  );
}
