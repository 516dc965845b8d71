// SPDX-License-Identifier: Apache-2.0
// Numbers as people type them, read here only to place sliders and to say how they are understood:
// what is typed goes to the daemon as it stands, and the daemon decides.

const POWERS: [number, string][] = [
  [3, "k tsd thsd thousand thousands"],
  [5, "lakh lakhs"],
  [6, "m mn mm mi mio mln mill million millions"],
  [7, "cr crore crores"],
  [9, "b bn bil bln billion billions mrd mia"],
];
const FACTORS = new Map<string, number>([
  ["", 1],
  ...POWERS.flatMap(([power, words]) =>
    words.split(" ").map((word): [string, number] => [word, 10 ** power]),
  ),
]);

/** "1,39" is decimal, "1,390" and "12,34,567" group thousands, "1.234,5" is both. */
function plainDigits(digits: string): string | null {
  const packed = digits.replace(/[\s'’_]/g, "");
  if (/^\d*\.?\d+$|^\d+\.$/.test(packed)) return packed;
  if (/^[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d*)?$/.test(packed)) return packed.replace(/,/g, "");
  if (/^\d{1,3}(\.\d{3})+,\d+$|^\d{1,3}(\.\d{3}){2,}$/.test(packed))
    return packed.replace(/\./g, "").replace(",", ".");
  if (/^\d+,\d+$/.test(packed)) return packed.replace(",", ".");
  return null;
}

export function parseQuantity(text: string): number | null {
  const match =
    /^([+-]?)([\d.,\s'’_]*\d[.,]?)(e[+-]?\d+)?\s*([a-z]*)\.?\s*\+?\s*(%|percent|pct)?$/i.exec(
      text.trim(),
    );
  const digits = match && plainDigits(match[2]);
  const factor = match && FACTORS.get(match[4].toLowerCase());
  if (!match || !digits || factor === null || factor === undefined) return null;
  const value = (Number(`${match[1]}${digits}${match[3] ?? ""}`) * factor) / (match[5] ? 100 : 1);
  return Number.isFinite(value) ? value : null;
}

export function hasPercentMark(text: string): boolean {
  return /(%|percent|pct)\s*$/i.test(text);
}

/** Short enough to read, exact enough for a slider: three digits. */
export function typeQuantity(value: number, unit: string): string {
  if (unit === "fraction") return `${Number((value * 100).toPrecision(3))}%`;
  const suffixes: [number, string][] = [
    [1e9, "b"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  if (Math.abs(value) >= 1000 && Math.abs(value) < 10_000)
    return Math.round(value).toLocaleString("en-US");
  for (const [factor, suffix] of suffixes)
    if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(4))}${suffix}`;
  return String(Number(value.toPrecision(3)));
}
