// SPDX-License-Identifier: Apache-2.0
// What may be chance where many comparisons are looked at together.

/** Two-sided p of a normal z: Abramowitz and Stegun (1964), 7.1.26. */
function pValue(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  return (
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
    Math.exp(-x * x)
  );
}

/** Whether a difference is beyond chance even if `comparisons` of its kind are counted
 * (Bonferroni); low and high are its 95 % interval, of which the side towards zero counts. */
export function isSureAmong(
  comparisons: number,
  difference: number,
  low: number,
  high: number,
): boolean {
  const side = difference > 0 ? difference - low : high - difference;
  return side > 0 && comparisons * pValue((1.96 * difference) / side) < 0.05;
}
