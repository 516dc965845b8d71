// SPDX-License-Identifier: Apache-2.0
// The search box: a combobox over the daemon's catalogue, by the ARIA pattern.

import { call, type Influencer } from "../../api";
import { debounce, freshId, h, replace } from "../../dom";
import { compact } from "../../format";

const LIMIT = 8;

export interface SearchBox {
  element: HTMLElement;
  set: (handle: string) => void;
  focus: () => void;
}

export function searchBox(label: string, onChoose: (handle: string) => void): SearchBox {
  const listId = freshId("suggestions");
  const list = h("ul.suggestions", { id: listId, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const input = h("input", {
    type: "search",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    "aria-label": label,
    placeholder: "Handle or name",
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "none",
  }) as HTMLInputElement;
  let found: Influencer[] = [];
  let active = -1;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (handle: string) => {
    input.value = handle;
    asked++;
    close();
    onChoose(handle);
  };
  const mark = (index: number) => {
    active = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    if (index >= 0) {
      input.setAttribute("aria-activedescendant", `${listId}-${index}`);
      list.children[index].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    const item = (influencer: Influencer, i: number) =>
      h(
        "li",
        { role: "option", id: `${listId}-${i}`, "aria-selected": "false", onmousedown: (event: Event) => (event.preventDefault(), choose(influencer.handle)) },
        h("span", null, h("strong", null, influencer.handle), influencer.name && influencer.name !== influencer.handle && h("span.muted", null, ` ${influencer.name}`)),
        h("span.muted.small", null, [influencer.category, influencer.followers !== null && `${compact(influencer.followers)} followers`].filter(Boolean).join(" · ")),
      );
    replace(list, found.length ? found.map(item) : h("li.none", { role: "option", "aria-disabled": "true" }, "Nobody of that name in this bundle"));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(-1);
  };
  const suggest = async () => {
    const mine = ++asked;
    const text = input.value.trim().replace(/^@/, "");
    try {
      const answer = await call<{ influencers: Influencer[] }>(`influencers?q=${encodeURIComponent(text)}&limit=${LIMIT}`);
      if (mine !== asked || document.activeElement !== input) return;
      found = answer.influencers;
      show();
    } catch {
      close(); // the question itself will tell what is wrong
    }
  };
  const suggestSoon = debounce(80, suggest);
  input.addEventListener("input", suggestSoon);
  input.addEventListener("focus", () => (input.select(), suggestSoon()));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      if (list.hidden) void suggest();
      else if (found.length) mark((active + move + found.length) % found.length);
    } else if (event.key === "Enter") {
      const handle = active >= 0 ? found[active].handle : input.value.trim().replace(/^@/, "");
      if (handle) choose(handle);
    } else if (event.key === "Escape") close();
  });
  return { element: h("div.search", null, input, list), set: (handle) => (input.value = handle), focus: () => input.focus() };
}
