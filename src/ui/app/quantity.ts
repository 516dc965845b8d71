// SPDX-License-Identifier: Apache-2.0
// Numbers as people type them, read here only to place sliders: what is typed goes to the daemon as
// it stands, and the daemon decides.

const FACTORS: Record<string, number> = { "": 1, k: 1e3, m: 1e6, b: 1e9, bn: 1e9, "%": 0.01 };

export function parseQuantity(text: string): number | null {
  const match = /^([+-]?\d*\.?\d+(?:e[+-]?\d+)?)\s*(k|m|bn|b|%)?$/i.exec(text.trim().replace(/(\d),(?=\d{3}\b)/g, "$1"));
  if (!match) return null;
  const value = Number(match[1]) * FACTORS[(match[2] ?? "").toLowerCase()];
  return Number.isFinite(value) ? value : null;
}

/** Short enough to read, exact enough for a slider: three digits. */
export function typeQuantity(value: number, unit: string): string {
  if (unit === "fraction") return `${Number((value * 100).toPrecision(3))}%`;
  const suffixes: [number, string][] = [
    [1e9, "b"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  if (Math.abs(value) >= 1000 && Math.abs(value) < 10_000) return Math.round(value).toLocaleString("en-US");
  for (const [factor, suffix] of suffixes) if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(4))}${suffix}`;
  return String(Number(value.toPrecision(3)));
}
