// SPDX-License-Identifier: Apache-2.0
// What is being asked, as it stands in the address: a handle, figures typed over it or instead of
// it, filters of the similar ones, and who it is compared with.

import type { Profile } from "../../api";
import { parseQuantity } from "../../quantity";
import type { Column, Report } from "../../report";

export interface Question {
  handle: string;
  /** Field to text, as typed. */
  typed: Record<string, string>;
  filters: Record<string, string>;
  compared: string[];
}

export const FILTERS = ["k", "category", "country", "tier", "min_followers", "max_followers"];
export const COMPARED_MAX = 4;
const FILTER_PREFIX = "similar_";

/** Fields worth typing, the most telling first; the rest of the table's follow. */
const ORDER = [
  "followers",
  "following",
  "posts",
  "avg_likes",
  "recent_avg_likes",
  "avg_comments",
  "avg_views",
  "engagement_rate",
  "avg_engagement",
  "authentic_engagement",
];
/** What the data say the answer is: no part of the question. */
const LABELS = ["influence_score", "tier"];
const NOT_TYPED = new Set(["handle", "name", ...LABELS, "snapshot", "total_likes", "bio_length"]);

/** What is derived from other columns is asked for only where the daemon takes it too. */
function isAField({ name, role }: Column): boolean {
  return role === "field" || (role === "derived" && ORDER.includes(name));
}

export function typedFields(report: Report): Column[] {
  const place = (name: string) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);
  return report.data.columns
    .filter((column) => isAField(column) && column.present > 0 && !NOT_TYPED.has(column.name))
    .filter(
      (column) =>
        column.kind === "number" ||
        column.kind === "flag" ||
        column.name === "category" ||
        column.name === "country" ||
        column.name === "audience_country",
    )
    .map((column, i) => ({
      column,
      rank: ORDER.includes(column.name) ? place(column.name) : ORDER.length + 1 + i,
    }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ column }) => column);
}

/** "@name", and the address of a profile as it stands in a browser, to the handle. */
export function handleOf(text: string): string {
  const trimmed = text.trim();
  const pasted =
    /^(?:https?:\/\/)?(?:www\.|m\.)?[a-z]+\.(?:com|net|tv|am)\/@?([\w.]+)\/?(?:[?#].*)?$/i.exec(
      trimmed,
    );
  return (pasted ? pasted[1] : trimmed).replace(/^@/, "");
}

/** As a number, also where it was typed as "250k". */
export function figureOf(profile: Profile, name: string): number | null {
  const value = profile[name];
  if (typeof value === "number") return value;
  return typeof value === "string" ? parseQuantity(value) : null;
}

export function sameHandle(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function readQuestion(query: URLSearchParams, fields: Column[]): Question {
  const question: Question = {
    handle: handleOf(query.get("handle") ?? ""),
    typed: {},
    filters: {},
    compared: [],
  };
  for (const { name } of fields) {
    const text = query.get(name);
    if (text !== null && text !== "") question.typed[name] = text;
  }
  for (const name of FILTERS) {
    const text = query.get(FILTER_PREFIX + name);
    if (text) question.filters[name] = text;
  }
  const compared = query
    .getAll("with")
    .map(handleOf)
    .filter((handle) => handle && !sameHandle(handle, question.handle));
  question.compared = compared
    .filter((handle, i) => compared.findIndex((other) => sameHandle(other, handle)) === i)
    .slice(0, COMPARED_MAX - 1);
  return question;
}

export function addressOf(question: Question): string {
  const query = new URLSearchParams();
  if (question.handle) query.set("handle", question.handle);
  for (const [name, text] of Object.entries(question.typed)) query.set(name, text);
  for (const [name, text] of Object.entries(question.filters))
    if (text) query.set(FILTER_PREFIX + name, text);
  for (const handle of question.compared) query.append("with", handle);
  const text = query.toString();
  return text ? `#/ask?${text}` : "#/ask";
}

export interface Request {
  path: string;
  body?: Profile;
}

/** The request to an endpoint: by handle as long as nothing is typed over it. */
export function requestFor(
  question: Question,
  route: string,
  profile: Profile,
  parameters: Record<string, string> = {},
): Request {
  const query = new URLSearchParams(parameters);
  const isPlain = question.handle !== "" && Object.keys(question.typed).length === 0;
  if (isPlain) query.set("handle", question.handle);
  const text = query.toString();
  const path = text ? `${route}?${text}` : route;
  if (isPlain) return { path };
  const body = { ...profile, ...question.typed };
  for (const label of LABELS) delete body[label];
  return { path, body };
}

export function similarParameters(question: Question): Record<string, string> {
  return Object.fromEntries(Object.entries(question.filters).filter(([, text]) => text !== ""));
}

export function isAsked(question: Question): boolean {
  return question.handle !== "" || Object.keys(question.typed).length > 0;
}
