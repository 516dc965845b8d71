// SPDX-License-Identifier: Apache-2.0
// report.json, as docs/report-schema.md describes it.

export interface Absent {
  absent: string;
}
export type Maybe<T> = T | Absent | undefined;
export type Num = number | null;
export type Scale = "linear" | "log";

export function isThere<T extends object>(part: Maybe<T>): part is T {
  return part !== undefined && part !== null && !("absent" in part);
}

/** Why a part is not there. */
export function reason(part: Maybe<object>, name: string): string {
  if (part && "absent" in part) return part.absent;
  return `This report has no part “${name}”: it was made by an older version. Train again to have it.`;
}

/** No label to learn: the score is the open formula itself. */
export function isFormula({ target }: { target: string }): boolean {
  return target === "composite";
}

/** Of what every report has, the parts that this one lacks: it was cut or edited. */
export function lacking(report: Report): string[] {
  return (["overview", "data", "explore", "groups"] as const).filter(
    (part) => !isThere(report[part]),
  );
}

/** Of columns and of features, as the files and the models have them. */
export function namesIn({ data, explore, models, archetypes }: Report): string[] {
  const features = (model: Maybe<{ importance: Maybe<Importance> }>) =>
    isThere(model) && isThere(model.importance) ? model.importance.feature : [];
  return [
    ...data.columns.map((column) => column.name),
    ...(isThere(explore.correlations) ? explore.correlations.columns : []),
    ...(isThere(archetypes) ? archetypes.features : []),
    ...(isThere(models) ? [...features(models.score), ...features(models.tier)] : []),
  ];
}

export interface Histogram {
  scale: Scale;
  edges: number[];
  counts: number[];
  zeros: number;
}

export interface Report {
  schema: number;
  kind: "bundle" | "explore";
  made: string;
  influence: string;
  synthetic: boolean;
  bundle: Maybe<Bundle>;
  overview: Overview;
  groups: Groups;
  data: Data;
  explore: Explore;
  models: Maybe<Models>;
  archetypes: Maybe<Archetypes>;
  network: Maybe<Network>;
  virality: Maybe<Virality>;
  growth: Maybe<GrowthModel>;
}

export interface Groups {
  tier: string[];
  category: string[];
  country: string[];
}
export type GroupName = keyof Groups;

export interface Bundle {
  id: string;
  created: string;
  seed: number;
  /** `role` is not in reports of older bundles: all were profiles. */
  data: {
    name: string;
    role?: "profiles" | "posts" | "edges";
    rows: number;
    sha256: string;
    month: string;
  }[];
  rows: number;
  synthetic: boolean;
  versions: Record<string, string>;
}

export interface Overview {
  title: string;
  headline: {
    label: string;
    value: number | string | null;
    unit: string;
    note: string;
    low?: Num;
    high?: Num;
  }[];
  careful: { level: "warning" | "info"; text: string; section: string }[];
}

export interface Data {
  rows: { read: number; kept: number; refused: number; repaired: number; unbelieved: number };
  sources: Source[];
  /** Files of posts and edges; not in reports of older bundles. */
  joined?: Source[];
  events: DataEvent[];
  columns: Column[];
  alerts: Alert[];
  outliers: Outliers;
  comparison: Maybe<Comparison>;
}
export interface Source {
  name: string;
  month: string;
  schema: string;
  encoding: string;
  delimiter: string;
  sha256: string;
  bytes: number;
  rows: number;
  kept: number;
  refused: number;
  columns: {
    header: string;
    field: string;
    how: string;
    unit: string;
    present: number;
    missing: number;
  }[];
}
export interface DataEvent {
  kind: "repaired" | "missing" | "refused" | "note";
  rule: string;
  column: string;
  text: string;
  count: number;
  source: number;
  examples: { line: number; value: string }[];
}
export interface Column {
  name: string;
  kind: "number" | "text" | "flag" | "month";
  role: "field" | "extra" | "derived";
  unit: string;
  help: string;
  present: number;
  missing: number;
  distinct: number;
  zeros?: number;
  negative?: number;
  min?: Num;
  q05?: Num;
  q25?: Num;
  median?: Num;
  q75?: Num;
  q95?: Num;
  max?: Num;
  mean?: Num;
  sd?: Num;
  skew?: Num;
  skew_ln?: Num;
  histogram?: Histogram;
  top?: { value: string; count: number }[];
  top_share?: Num;
  entropy?: Num;
}
export interface Alert {
  kind: string;
  level: "warning" | "info";
  columns: string[];
  value: Num;
  threshold: Num;
  text: string;
}
export interface Outliers {
  rule: string;
  columns: { column: string; scale: Scale; low: Num; high: Num; n_low: number; n_high: number }[];
  rows: { handle: string | null; line: Num; column: string; value: Num; z: Num }[];
}
export interface Comparison {
  before: string;
  after: string;
  rows_before: number;
  rows_after: number;
  in_both: number;
  appeared: number;
  gone: number;
  columns: {
    column: string;
    median_before: Num;
    median_after: Num;
    missing_before: Num;
    missing_after: Num;
    psi: Num;
    ks: Num;
    change_median: Num;
    low: Num;
    high: Num;
  }[];
}

export interface Explore {
  measure: { name: string; unit: string; text: string; scale: Scale };
  scatter: Scatter;
  density: Maybe<Density>;
  correlations: Maybe<Correlations>;
  slope: Maybe<Slope>;
  distributions: Distribution[];
  growth: Maybe<GrowthSeen>;
  timing: Maybe<Timing>;
  categories: Maybe<GroupFigures>;
  countries: Maybe<GroupFigures>;
  projection: Maybe<{
    columns: string[];
    explained: number[];
    loadings: number[][];
    x: Num[];
    y: Num[];
  }>;
}
export interface Scatter {
  n: number;
  shown: number;
  text: string;
  handle: (string | null)[];
  followers: number[];
  measure: number[];
  tier: number[];
  category: number[];
  country: number[];
  score: Num[];
  growth: Num[];
}
export interface Density {
  x_edges: number[];
  y_edges: number[];
  x: number[];
  y: number[];
  count: number[];
}
export interface Correlations {
  columns: string[];
  transform: ("ln" | "none")[];
  n: Num[];
  pearson: Num[];
  pearson_low: Num[];
  pearson_high: Num[];
  spearman: Num[];
  spearman_low: Num[];
  spearman_high: Num[];
}
export interface Slope {
  text: string;
  model: string;
  n: number;
  slope: number;
  low: number;
  high: number;
  intercept: number;
  r2: number;
  tenfold: number;
  tenfold_low: number;
  tenfold_high: number;
  band: { followers: number[]; fit: number[]; low: number[]; high: number[] };
  by_category: { category: number[]; n: number[]; slope: number[]; low: number[]; high: number[] };
}
export interface Distribution {
  column: string;
  unit: string;
  by: GroupName;
  scale: Scale;
  edges: number[];
  groups: {
    group: number[];
    n: number[];
    min: Num[];
    q05: Num[];
    q25: Num[];
    median: Num[];
    q75: Num[];
    q95: Num[];
    max: Num[];
    counts: number[][];
  };
}
export interface GroupMedians {
  group: number[];
  n: number[];
  median: Num[];
  low: Num[];
  high: Num[];
}
export interface GrowthSeen {
  unit: string;
  months: number;
  n: number;
  median: number;
  low: number;
  high: number;
  q05: Num;
  q25: Num;
  q75: Num;
  q95: Num;
  shrinking: number;
  histogram: Histogram;
  by_tier: GroupMedians;
  by_category: GroupMedians;
  rows: { handle: (string | null)[]; followers: Num[]; previous: Num[]; growth: Num[] };
}
export interface Timing {
  utc_offset_note: string;
  posts: number;
  hour_weekday: number[][];
  lift: Num[][];
}
export interface GroupFigures {
  group: number[];
  n: number[];
  /** Those of them with the measure; not in reports of older bundles. */
  n_measured?: number[];
  share: number[];
  followers: Num[];
  measure: Num[];
  measure_low: Num[];
  measure_high: Num[];
  score: Num[];
}

export interface Models {
  score: Maybe<ScoreModel>;
  tier: Maybe<TierModel>;
}
export interface Candidate {
  name: string;
  family: string;
  settings: string;
  chosen: boolean;
  metrics: Record<string, { mean: Num; sd: Num }>;
  fit_seconds: Num;
  note: string;
}
interface AnyModel {
  target: string;
  n: number;
  folds: number;
  repeats: number;
  seed: number;
  selected_by: string;
  chosen: string;
  leaderboard: Candidate[];
  importance: Maybe<Importance>;
}
export interface Importance {
  text: string;
  unit: string;
  feature: string[];
  mean: number[];
  sd: Num[];
  /** Mean |contribution| to an answer; not of every family. */
  contribution?: Maybe<Num[]>;
  contribution_unit?: string;
}
export interface ScoreModel extends AnyModel {
  unit: string;
  baseline: { mae: Num; rmse: Num };
  predicted: Maybe<Predicted>;
  coverage: Maybe<Coverage>;
  residuals: Maybe<{ histogram: Histogram; by_tier: Residuals; by_category: Residuals }>;
  dependence: Maybe<Dependence[]>;
  interaction: Maybe<Interaction>;
  composite: { weights: Record<string, number>; parts: Record<string, string> };
}
/** Figures in 100 ln ratio, but those of `forecast`, which are fractions. */
export interface GrowthModel extends Omit<AnyModel, "importance"> {
  text: string;
  strength: "none" | "weak" | "fair" | "clear";
  ships: boolean;
  base: string;
  until: string;
  months: number;
  spearman: Num;
  spearman_low: Num;
  spearman_high: Num;
  mae: Num;
  baseline: { mae: Num; rmse: Num };
  coverage: { stated: number; observed: number; n: number; width: number; text: string };
  by_tier: {
    group: number[];
    n: number[];
    median: Num[];
    spearman: Num[];
    mae: Num[];
    observed: Num[];
    width: Num[];
  };
  predicted: {
    n: number;
    shown: number;
    handle: (string | null)[];
    actual: number[];
    predicted: number[];
    low: Num[];
    high: Num[];
    tier: number[];
  };
  earlier: Maybe<{
    base: string;
    until: string;
    months: number;
    n: number;
    n_learnt: number;
    had_growth: boolean;
    spearman: Num;
    mae: Num;
    baseline_mae: Num;
    observed: Num;
  }>;
  forecast: Maybe<GrowthForecast>;
}
export interface GrowthForecast {
  n: number;
  months: number;
  coverage: number;
  rows: {
    handle: (string | null)[];
    followers: Num[];
    forecast: number[];
    low: Num[];
    high: Num[];
    tier: number[];
    category: number[];
  };
  by_tier: {
    group: number[];
    n: number[];
    q05: Num[];
    q25: Num[];
    median: Num[];
    q75: Num[];
    q95: Num[];
  };
}
export interface Predicted {
  n: number;
  shown: number;
  handle: (string | null)[];
  actual: number[];
  predicted: number[];
  low: Num[];
  high: Num[];
  tier: number[];
  category: number[];
}
export interface Coverage {
  stated: number;
  observed: number;
  n: number;
  width: number;
  by_tier: { group: number[]; n: number[]; observed: Num[]; width: Num[] };
}
export interface Residuals {
  group: number[];
  n: number[];
  bias: Num[];
  mae: Num[];
  q05: Num[];
  median: Num[];
  q95: Num[];
}
export interface Dependence {
  feature: string;
  unit: string;
  input: string;
  x: number[];
  mean: number[];
  low: number[];
  high: number[];
  density: number[];
}
export interface InteractionSide {
  feature: string;
  unit: string;
  input: string;
  at: number[];
}
/** Two inputs at once: mean answers [y][x], and how many accounts lie near each. */
export interface Interaction {
  text: string;
  h: number;
  x: InteractionSide;
  y: InteractionSide;
  mean: number[][];
  count: number[][];
  pairs: { a: string[]; b: string[]; h: number[] };
}
export interface TierModel extends AnyModel {
  names: string[];
  counts: number[];
  confusion: number[][];
  by_tier: { precision: Num[]; recall: Num[]; f1: Num[] };
  reliability: {
    edges: number[];
    n: number[];
    stated: Num[];
    observed: Num[];
    low: Num[];
    high: Num[];
  };
  audience: Maybe<{ names: string[]; confusion: number[][]; accuracy: number; disagree: number }>;
  /** Not in reports of older bundles. */
  by_size?: Maybe<GroupAccuracy>;
  by_category?: Maybe<GroupAccuracy>;
}
export interface GroupAccuracy {
  group: number[];
  n: number[];
  accuracy: number[];
  low: number[];
  high: number[];
}

export interface Archetypes {
  k: number;
  silhouette: number;
  strength: "weak" | "fair" | "clear";
  text: string;
  stability: number;
  candidates: { k: number[]; silhouette: Num[]; stability?: Num[] };
  features: string[];
  names: string[];
  size: number[];
  centroids: number[][];
  figures: { followers: Num; measure: Num; posts: Num }[];
  projection: {
    explained: number[];
    handle: (string | null)[];
    x: Num[];
    y: Num[];
    cluster: number[];
    followers: Num[];
    tier: number[];
    category: number[];
  };
  typical: string[][];
  extreme: string[][];
}

export interface NetworkAccount {
  handle: string | null;
  community: number;
  followers: Num;
  degree: number;
  pagerank: number;
  core: number;
  betweenness: number;
  spread: number;
}

export interface NetworkLinks {
  n: number;
  held: number;
  unseen: number;
  method: string;
  auc: number;
  sd: number;
  scores: { name: string; help: string; auc: number; sd: number }[];
  suggested: { from: string | null; to: string | null; score: number }[];
}

export interface Network {
  kind: "edges" | "similarity";
  n: number;
  of?: number;
  links: number;
  neighbours: number;
  isolated: number;
  modularity: number;
  n_communities: number;
  communities: {
    name: string;
    size: number;
    within: number;
    themes: { kind: string; name: string; value: number; overall: number; z: number }[];
    members: string[];
  }[];
  hubs: NetworkAccount[];
  bridges: NetworkAccount[];
  homophily: Maybe<{
    n: number;
    assortativity: number;
    low: number;
    high: number;
    within: number;
    expected: number;
  }>;
  collaborations: Maybe<NetworkLinks>;
  brands: Maybe<NetworkLinks>;
  drawn: {
    handle: (string | null)[];
    x: number[];
    y: number[];
    community: number[];
    followers: Num[];
    degree: number[];
    pagerank: number[];
    edges: { from: number[]; to: number[] };
  };
}

export interface Virality {
  n: number;
  accounts: number;
  accounts_share: number;
  r2: number;
  factors: ViralityFactor[];
}
export interface ViralityFactor {
  name: string;
  r2_lost: number;
  levels: ViralityLevel[];
}
export interface ViralityLevel {
  name: string;
  reference: boolean;
  n: number;
  accounts: number;
  ln_ratio: Num;
  ln_low: Num;
  ln_high: Num;
  effect: Num;
  low: Num;
  high: Num;
}
