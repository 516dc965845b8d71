// SPDX-License-Identifier: Apache-2.0
// What in a question is probably not meant: a rate of 139 %, likes that do not go with the rate.

import type { Profile } from "../../api";
import { compact, humanName, percent, sentence } from "../../format";
import { hasPercentMark, parseQuantity } from "../../quantity";
import type { Column } from "../../report";
import { figureOf } from "./question";

/** A rate of more than all of the followers is rarely meant. */
const RATE_MAX = 1;
/** From here on two figures of the same thing contradict each other. */
const CONTRADICTION = 3;

export interface Doubt {
  text: string;
  /** What is typed instead when the reader agrees. */
  offer: string;
  typed: Record<string, string>;
}

/** The figures of a profile that grow with its audience; those of before too, or it would have
 * grown overnight. */
export const WITH_FOLLOWERS = [
  "avg_likes",
  "recent_avg_likes",
  "avg_comments",
  "avg_views",
  "avg_engagement",
  "authentic_engagement",
  "previous_followers",
  "previous_engagement",
];

/** The rate that the daemon takes where none is given: by the newest likes, else by all
 * engagements that are known. */
export function rateOfOthers(profile: Profile): number | null {
  const of = (name: string) => figureOf(profile, name);
  const [followers, likes] = [of("followers"), of("avg_likes")];
  const all = likes === null ? null : likes + (of("avg_comments") ?? 0);
  const engagements = of("recent_avg_likes") ?? of("avg_engagement") ?? all;
  return followers && engagements !== null ? engagements / followers : null;
}

/** How a typed text is understood, where that is not plain from the text itself. */
export function understood(text: string, unit: string): string {
  const value = parseQuantity(text);
  if (value === null || text === "") return "";
  if (unit === "fraction") return hasPercentMark(text) ? "" : `= ${percent(value)}`;
  return /^[\d.]*$/.test(text) && value < 1000
    ? ""
    : `= ${Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 2 })}`;
}

/** "1.39" in a field of fractions: 139 %, and most likely 1.39 % was meant. */
export function rateDoubt(field: Column, text: string): Doubt | null {
  const value = parseQuantity(text);
  if (field.unit !== "fraction" || value === null || value <= RATE_MAX || hasPercentMark(text))
    return null;
  return {
    text: `${sentence(humanName(field.name))}: “${text}” is taken as ${percent(value)}, more than all of the followers.`,
    offer: `${percent(value / 100)} was meant`,
    typed: { [field.name]: `${text}%` },
  };
}

/** Likes that were given beside a rate of engagement which says otherwise. */
function contradiction(profile: Profile): Doubt | null {
  const [followers, likes, rate] = ["followers", "avg_likes", "engagement_rate"].map((name) =>
    figureOf(profile, name),
  );
  if (!followers || !likes || !rate) return null;
  const own = (likes + (figureOf(profile, "avg_comments") ?? 0)) / followers;
  if (own / rate < CONTRADICTION && rate / own < CONTRADICTION) return null;
  return {
    text: `The figures contradict each other: ${compact(likes)} likes of ${compact(followers)} followers are ${percent(own)}, the engagement rate says ${percent(rate)}. The answer holds for no account that could be.`,
    offer: "",
    typed: {},
  };
}

/** Likes, comments and views at the rates that the account has, for another number of followers. */
export function atSameRates(
  profile: Profile,
  followers: string,
  fields: Column[],
): Record<string, string> {
  const [before, now] = [figureOf(profile, "followers"), parseQuantity(followers)];
  const typed: Record<string, string> = {};
  if (!before || now === null) return typed;
  for (const { name } of fields) {
    const value = figureOf(profile, name);
    if (WITH_FOLLOWERS.includes(name) && value !== null)
      typed[name] = String(Math.round((value * now) / before));
  }
  return typed;
}

export function doubtsOf(
  profile: Profile,
  typed: Record<string, string>,
  fields: Column[],
): Doubt[] {
  const found = fields
    .map((field) => rateDoubt(field, typed[field.name] ?? ""))
    .filter((doubt): doubt is Doubt => doubt !== null);
  if (found.length > 0) return found;
  const strange = Object.keys(typed).length > 0 ? contradiction({ ...profile, ...typed }) : null;
  if (!strange) return [];
  const scaled = typed.followers === undefined ? {} : atSameRates(profile, typed.followers, fields);
  return [
    Object.keys(scaled).length > 0
      ? { ...strange, offer: "Keep the rates: scale likes, comments and views too", typed: scaled }
      : strange,
  ];
}
