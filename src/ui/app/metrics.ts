// SPDX-License-Identifier: Apache-2.0
// Reads the daemon's /metrics, Prometheus' text format.

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)(?: \d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const match = line.startsWith("#") ? null : LINE.exec(line);
    if (!match) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(LABEL))
      labels[name] = value.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
    samples.push({
      name: match[1],
      labels,
      value: match[3] === "+Inf" ? Infinity : Number(match[3]),
    });
  }
  return samples;
}

export function sumOf(samples: Sample[], name: string, where: Record<string, string> = {}): number {
  return samples
    .filter(
      (sample) =>
        sample.name === name &&
        Object.entries(where).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((sum, sample) => sum + sample.value, 0);
}

export function has(samples: Sample[], name: string): boolean {
  return samples.some((sample) => sample.name === name);
}

export function labelsOf(samples: Sample[], name: string, label: string): string[] {
  return [
    ...new Set(
      samples.filter((sample) => sample.name === name).map((sample) => sample.labels[label]),
    ),
  ];
}

/** Upper bounds and counts of a histogram's buckets, as counts per bucket. */
export function buckets(
  samples: Sample[],
  name: string,
  where: Record<string, string> = {},
): { upper: number[]; counts: number[] } {
  const totals = new Map<number, number>();
  for (const sample of samples) {
    if (
      sample.name !== `${name}_bucket` ||
      !Object.entries(where).every(([key, value]) => sample.labels[key] === value)
    )
      continue;
    const upper = sample.labels.le === "+Inf" ? Infinity : Number(sample.labels.le);
    totals.set(upper, (totals.get(upper) ?? 0) + sample.value);
  }
  const upper = [...totals.keys()].sort((a, b) => a - b);
  return {
    upper,
    counts: upper.map((bound, i) => totals.get(bound)! - (i > 0 ? totals.get(upper[i - 1])! : 0)),
  };
}

/** The quantile of a histogram, linear within its bucket, as Prometheus has it; null when empty. */
export function quantile(upper: number[], counts: number[], q: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (let i = 0; i < upper.length; i++) {
    if (below + counts[i] >= q * total) {
      const from = i > 0 ? upper[i - 1] : 0;
      if (!Number.isFinite(upper[i])) return from;
      return from + (upper[i] - from) * ((q * total - below) / (counts[i] || 1));
    }
    below += counts[i];
  }
  return null;
}
