// SPDX-License-Identifier: Apache-2.0
// Buttons that put a text into the clipboard.

import { h } from "./dom";

export function copyButton(label: string, text: () => string, after?: () => void): HTMLElement {
  const button = h(
    "button.quiet",
    {
      type: "button",
      onclick: async () => {
        after?.();
        await copy(text());
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = label), 1500);
      },
    },
    label,
  );
  return button;
}

/** The clipboard needs a secure origin; over plain HTTP from elsewhere the old way still works. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch {
      // Denied: go on below.
    }
  }
  const area = h("textarea.hidden", { value: text, "aria-hidden": "true" }) as HTMLTextAreaElement;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
