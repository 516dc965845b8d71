// SPDX-License-Identifier: Apache-2.0
// What the score is measured in: points of 0 to 100, or, where it learned a target of one's own,
// that column's unit.

import { change, points, signed, withUnit } from "./format";
import { isThere, type Maybe, type ScoreModel } from "./report";

export interface Unit {
  /** As axes know it: "points", "likes", "fraction". */
  axis: string;
  /** For a sentence. */
  name: string;
  show: (value: number | null | undefined) => string;
  change: (value: number | null | undefined) => string;
}

export function unitOf(model: Maybe<ScoreModel>): Unit {
  const axis = isThere(model) ? model.unit : "points";
  if (axis === "points")
    return { axis, name: axis, show: (value) => points(value), change: (value) => change(value) };
  const show = (value: number | null | undefined) => signed(withUnit(value, axis));
  const name = axis === "fraction" ? "" : axis;
  return {
    axis,
    name,
    show,
    change: (value) => (typeof value === "number" && value > 0 ? `+${show(value)}` : show(value)),
  };
}
