// SPDX-License-Identifier: Apache-2.0
// The address: a section, and what a view of it is beside that:
// #/explore?colour=tier&chart=correlations.

export function readAddress(): { path: string; query: URLSearchParams } {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path, query: new URLSearchParams(query) };
}

/** What a link asks for; null where it leaves the choice to the page. */
export function remembered(key: string): string | null {
  return readAddress().query.get(key);
}

/** Of the question about an account of the bundle. */
export function askAddress(handle: string): string {
  return `#/ask?handle=${encodeURIComponent(handle)}`;
}

/** Puts a choice into the address, so that a copied link shows the same. */
export function remember(key: string, value: string): void {
  const { path, query } = readAddress();
  query.set(key, value);
  history.replaceState(history.state, "", `#/${path}?${query}`);
}
