// SPDX-License-Identifier: Apache-2.0
// What every section is given.

import type { Report } from "./report";

export interface Context {
  report: Report;
  /** A daemon answers behind this page; false in a report file. */
  live: boolean;
}

/** Draws its section into a fresh element; may return a clean-up, called when it is left. */
export type Section = (
  into: HTMLElement,
  context: Context,
  query: URLSearchParams,
) => void | (() => void);
