// SPDX-License-Identifier: Apache-2.0
// The daemon's endpoints.

export type Profile = Record<string, string | number | boolean>;

export interface Interval {
  low: number;
  high: number;
  coverage: number;
}
export interface GrowthAnswer extends Interval {
  /** Fractions of the followers. */
  forecast: number;
  months: number;
  percentile: number;
}
export interface ScoreAnswer {
  model: string;
  score: number;
  interval: Interval;
  percentile: number;
  target: string;
  composite: {
    score: number | null;
    parts: Record<string, { percentile: number; weight: number }>;
  };
  novelty: number;
  /** Where the training data had snapshots. */
  growth?: GrowthAnswer;
  imputed: string[];
  unknown_fields?: string[];
  explanation?: { base: number; contributions: { feature: string; points: number }[] };
}
export interface TierAnswer {
  tier: string;
  probabilities: Record<string, number>;
  target: string;
  size: {
    claimed: string | null;
    predicted: string | null;
    confidence?: number;
    disagrees?: boolean;
  };
  /** Not in the answers of older bundles. */
  audience?: { score: number | null; reasons: { part: string; doubt: number; text: string }[] };
  imputed: string[];
}
export interface ClusterAnswer {
  cluster: number;
  name: string;
  distance: number;
  distance_percentile: number;
  membership: number[];
  traits: unknown[];
  imputed: string[];
}
export interface Influencer {
  handle: string;
  name: string | null;
  category: string | null;
  country: string | null;
  /** Not in the answers of older daemons. */
  audience_country?: string | null;
  followers: number | null;
}
export interface SimilarAnswer {
  similar: (Influencer & { similarity: number; distance: number })[];
  k: number;
  found: number;
  candidates: number;
  exact: boolean;
}

export interface DriftFigures {
  name: string;
  drift: "none" | "moderate" | "major";
  psi: number | null;
  missing: number;
  missing_reference: number;
  out_of_range?: number;
  unseen?: number;
}
export interface DriftModel {
  rows: number;
  reference_rows: number;
  output: DriftFigures;
  features?: DriftFigures[];
}
export interface DriftAnswer {
  window_minutes: number;
  score?: DriftModel;
  tier?: DriftModel;
}

/** What the daemon, or the way to it, said no with. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly field: string,
  ) {
    super(message);
  }
}

/** Relative to the page, so that it works behind a proxy's path. */
export function endpoint(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

export async function call<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
  const answer = await send(path, body, signal);
  try {
    return (await answer.json()) as T;
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new ApiError(
      "What came back is not an answer of the daemon: something between it and this page answered instead, or cut it short.",
      answer.status,
      "no_answer",
      "",
    );
  }
}

export async function callText(path: string, signal?: AbortSignal): Promise<string> {
  return (await send(path, undefined, signal, "*/*")).text();
}

const TOKEN_KEY = "influence-token";
let token = storedToken();

/** A tab's storage may be switched off. */
function storedToken(): string {
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? "";
  } catch {
    return "";
  }
}

/** Sent with each request from now on; kept until the tab is closed. */
export function useToken(given: string): void {
  token = given;
  try {
    if (given) sessionStorage.setItem(TOKEN_KEY, given);
    else sessionStorage.removeItem(TOKEN_KEY);
  } catch {
    // It holds for this page then.
  }
}

async function send(
  path: string,
  body?: object,
  signal?: AbortSignal,
  accept = "application/json",
): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(endpoint(path), {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      signal,
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new ApiError("The daemon does not answer. Is it still running?", 0, "unreachable", "");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  const detail = problem?.error ?? {};
  throw new ApiError(
    detail.message ?? bareRefusal(answer.status),
    answer.status,
    detail.code ?? "",
    detail.field ?? "",
  );
}

/** What a proxy that answers in the daemon's place means by its page of HTML. */
function bareRefusal(status: number): string {
  if (status === 429) return "Too many requests in a short time: wait a little, then try again.";
  if ([502, 503, 504].includes(status))
    return `The daemon is not reached just now (${status}): it may be starting again, or busy.`;
  return `The daemon answered ${status}.`;
}

/** The very request, for a shell; a token stays out of what is copied and pasted about. */
export function asCurl(path: string, body?: object): string {
  const url = `'${endpoint(path).replace(/'/g, "%27")}'${token ? ' -H "Authorization: Bearer $TOKEN"' : ""}`;
  if (!body) return `curl -s ${url}`;
  return `curl -s ${url} -H 'Content-Type: application/json' -d '${JSON.stringify(body).replace(/'/g, "'\\''")}'`;
}
