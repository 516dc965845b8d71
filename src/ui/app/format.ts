// SPDX-License-Identifier: Apache-2.0
// Numbers and names as people write them.

const NONE = "–";
const SUFFIXES: [number, string][] = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

function trimmed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A proper minus sign, which lines up with the plus; what rounds to zero has none. */
export function signed(text: string): string {
  return /^-0(\.0+)?$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** 475.8M, 12.4k, 832, 0.0139 */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  for (const [unit, suffix] of SUFFIXES)
    if (size >= unit * 0.9995) {
      const scaled = value / unit;
      return signed(trimmed(scaled, Math.abs(scaled) >= 99.95 && unit < 1e6 ? 0 : 1) + suffix);
    }
  return signed(plain(value));
}

/** Three significant digits, more only for whole numbers. */
export function plain(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return signed(trimmed(value, 0));
  if (size >= 10) return signed(trimmed(value, 1));
  if (size >= 1) return signed(trimmed(value, 2));
  return signed(String(Number(value.toPrecision(2))));
}

/** 33,935 */
export function whole(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return signed(Math.round(value).toLocaleString("en-US"));
}

const PERCENT = "\u00a0%"; // never alone on a line

/** A fraction as 1.39 % */
export function percent(value: number | null | undefined, decimals?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const hundredths = value * 100;
  if (decimals !== undefined) return signed(hundredths.toFixed(decimals)) + PERCENT;
  const size = Math.abs(hundredths);
  return signed(trimmed(hundredths, size >= 10 ? 1 : size >= 0.1 ? 2 : 3)) + PERCENT;
}

export function points(value: number | null | undefined, decimals = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return signed(value.toFixed(decimals));
}

/** +2.4, −0.8 */
export function change(value: number | null | undefined, decimals = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? signed(text) : signed((value > 0 ? "+" : "") + text);
}

/** By the unit that the report gives. */
export function withUnit(value: number | string | null | undefined, unit: string): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  switch (unit) {
    case "fraction":
      return percent(value);
    case "points":
      return points(value);
    case "percent a month":
      return change(value, 2) + PERCENT;
    case "rows":
      return whole(value);
    case "ratio":
      return plain(value);
    case "seconds":
      return seconds(value);
    case "month":
      return month(value);
    default:
      return compact(value);
  }
}

/** Months since year 0, as profile fields count them, as 2022-03. */
export function month(value: number): string {
  return `${Math.floor(value / 12)}-${String(Math.round(value % 12) + 1).padStart(2, "0")}`;
}

export function seconds(value: number): string {
  if (value < 1e-3) return `${plain(value * 1e6)} µs`;
  if (value < 1) return `${plain(value * 1e3)} ms`;
  if (value < 120) return `${plain(value)} s`;
  if (value < 7200) return `${plain(value / 60)} min`;
  if (value < 172800) return `${plain(value / 3600)} h`;
  return `${plain(value / 86400)} days`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${plain(value / 1e3)} kB`;
  if (value < 1e9) return `${plain(value / 1e6)} MB`;
  return `${plain(value / 1e9)} GB`;
}

/** 2026-01-31 12:34 UTC */
export function time(text: string): string {
  return text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$/, "$1 $2 UTC");
}

/** avg_likes as "average likes", ln_posts_per_follower as "posts per follower (ln)". */
export function humanName(name: string): string {
  if (name in NAMES) return NAMES[name];
  if (name.startsWith("peer:")) return `${humanName(name.slice(5))}, against peers`;
  const [column, level] = name.split("=");
  if (level !== undefined) return `${humanName(column)}: ${level}`;
  if (name.startsWith("ln_")) return `${humanName(name.slice(3))} (ln)`;
  return name.replace(/_/g, " ");
}

/** The figure that a feature measures, whichever way it is bent: for sentences and labels; tables
 * have it to the letter. */
export function figureName(name: string): string {
  return humanName(name).replace(/ \(ln\)/g, "");
}

/** The same of features beside each other, of which two may measure one figure. */
export function figureNames(names: string[]): string[] {
  const short = names.map(figureName);
  return names.map((name, i) =>
    short.filter((other) => other === short[i]).length > 1 ? humanName(name) : short[i],
  );
}

/** A share as a whole percentage; what is nearly none or nearly all is not said to be so. */
export function share(value: number): string {
  if (value > 0 && value < 0.005) return `< 1${PERCENT}`;
  if (value < 1 && value > 0.995) return `> 99${PERCENT}`;
  return percent(value, 0);
}

const known = new Set<string>();

/** Names that the report uses: those are put into words where a sentence has them. */
export function knowNames(names: Iterable<string>): void {
  for (const name of names) known.add(name);
}

/** "ln_avg_likes repeats avg_likes" as people say it; what is no name of a column or a feature
 * stays, as handles must. */
export function worded(text: string): string {
  return text
    .replace(/(?:peer:)?[A-Za-z]\w*_\w+/g, (word) =>
      known.has(word) || word in NAMES ? humanName(word) : word,
    )
    .replace(/(?<![\w.])\d{5,}(?![\w.])/g, (digits) => whole(Number(digits)))
    .replace(/\b\d{4}(?= (?:rows|accounts|posts|edges)\b)/g, (digits) => whole(Number(digits)))
    .replace(/(\d) %/g, `$1${PERCENT}`);
}

const NAMES: Record<string, string> = {
  avg_likes: "average likes",
  avg_comments: "average comments",
  avg_views: "average views",
  avg_engagement: "average engagement",
  recent_avg_likes: "recent likes",
  authentic_engagement: "authentic engagement",
  ln_recent_likes: "recent likes (ln)",
  ln_avg_likes: "average likes (ln)",
  ln_following_ratio: "following ÷ followers (ln)",
  ln_likes_per_follower: "likes per follower (ln)",
  ln_engagement_per_follower: "engagement per follower (ln)",
  ln_comments_per_like: "comments per like (ln)",
  ln_posts_per_follower: "posts per follower (ln)",
  ln_recent_trend: "recent ÷ average likes (ln)",
  post_sample: "posts seen",
  posts_per_week: "posts a week",
  post_gap_spread: "spread of the gaps between posts",
  post_ln_likes: "likes of the posts seen (ln)",
  post_ln_likes_spread: "spread of the likes of posts (ln)",
  post_ln_likes_trend: "trend of the likes of posts",
  post_ln_comments: "comments of the posts seen (ln)",
  post_comments_per_like: "comments per like of the posts seen (ln)",
  post_ln_views: "views of the videos seen (ln)",
  post_ln_likes_per_follower: "likes of the posts seen per follower (ln)",
  video_share: "share of videos",
  carousel_share: "share of carousels",
  sponsored_share: "share of sponsored posts",
  sponsored_lift: "lift of sponsored posts",
  location_share: "share of posts with a location",
  hit_share: "share of hits",
  weekend_share: "share of weekend posts",
  post_hour_cos: "hour of posts, midnight to noon",
  post_hour_sin: "hour of posts, morning to evening",
  post_aspect: "height ÷ width of pictures",
  edges_in: "accounts that link to it",
  edges_out: "accounts that it links to",
  comments_in: "accounts that comment on it",
  comments_out: "accounts that it comments on",
  tags_in: "accounts that tag it",
  tags_out: "accounts that it tags",
  mentions_in: "accounts that mention it",
  mentions_out: "accounts that it mentions",
  follows_in: "accounts of the edges that follow it",
  follows_out: "accounts of the edges that it follows",
  brand_links_in: "accounts that tag it as a brand",
  brand_links: "brands that it tags",
  edge_reciprocity: "share of links returned",
  net_pagerank: "PageRank (ln)",
  net_core: "core number",
  net_clustering: "clustering of its neighbours",
  net_betweenness: "betweenness (ln)",
  net_neighbour_score: "score of its neighbours",
  is_verified: "verified",
  is_business: "business account",
  has_url: "has a link",
  bio_length: "biography length",
  r2: "R²",
  mae: "mean error",
  rmse: "RMSE",
  spearman: "rank correlation",
  macro_f1: "macro F1",
  auc: "area under the curve",
  log_loss: "log loss",
  ece: "calibration error",
};

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** The first letter as a capital. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
