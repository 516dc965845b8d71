// SPDX-License-Identifier: Apache-2.0
// What the address says of a view beside its section: #/explore?colour=tier&chart=correlations.

function read(): { path: string; query: URLSearchParams } {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path, query: new URLSearchParams(query) };
}

/** What a link asks for; null where it leaves the choice to the page. */
export function remembered(key: string): string | null {
  return read().query.get(key);
}

/** Puts a choice into the address, so that a copied link shows the same. */
export function remember(key: string, value: string): void {
  const { path, query } = read();
  query.set(key, value);
  history.replaceState(history.state, "", `#/${path}?${query}`);
}
