"use strict";
/* What unfold makes of div and span becomes buttons, and a dialog keeps the focus. */
(() => {
  const BUTTONS = {
    '[x-ref^="relatedWidgetWrapper"]': "More about this field",
    '#dialog > div[x-on\\:click="openModal = false"]': "Close",
    ".tabular td.delete label": "Remove this row",
    'span[x-on\\:click*="sidebarDesktopOpen"], span[x-on\\:click*="sidebarMobileOpen"]':
      "Menu",
  };
  const FOCUSABLE =
    'a[href], button, input:not([type=hidden]), select, textarea, [tabindex="0"]';

  const makeButtons = (root) => {
    for (const [selector, label] of Object.entries(BUTTONS)) {
      for (const element of root.querySelectorAll(selector)) {
        element.setAttribute("role", "button");
        element.setAttribute("tabindex", "0");
        element.setAttribute("aria-label", label);
      }
    }
  };

  document.addEventListener("keydown", (event) => {
    const button = event.target.closest?.('[role="button"][tabindex="0"]:not(a, button)');
    if (button && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      button.click();
      const menu = [...document.querySelectorAll("nav[id^=related-widget-wrapper]")];
      setTimeout(() => {
        const open = menu.find((nav) => nav.checkVisibility());
        open?.querySelector("a[href]")?.focus();
      }, 200);
    }
  });

  /* Dialogs */
  let opener = null;
  const dialog = () => {
    const content = document.getElementById("modal-content");
    return content?.checkVisibility() ? content : null;
  };
  const focusable = (content) =>
    [...content.querySelectorAll(FOCUSABLE)].filter((one) => one.checkVisibility());

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "modal-content") opener = event.detail.elt;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    makeButtons(document);
    if (event.detail.target?.id !== "modal-content") return;
    const content = event.detail.target;
    content.setAttribute("role", "dialog");
    content.setAttribute("aria-modal", "true");
    content.setAttribute("aria-label", content.querySelector("h1")?.innerText ?? "");
    requestAnimationFrame(() => {
      const fields = focusable(content).filter((one) => one.matches(":not([role])"));
      fields[0]?.focus();
    });
    const closed = new MutationObserver(() => {
      if (content.checkVisibility()) return;
      closed.disconnect();
      opener?.focus();
    });
    closed.observe(content.parentElement, { attributes: true, attributeFilter: ["style"] });
  });
  document.addEventListener("keydown", (event) => {
    const content = event.key === "Tab" && dialog();
    if (!content) return;
    const stops = focusable(content);
    const end = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement === end || !content.contains(document.activeElement)) {
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
    }
  });

  document.addEventListener("DOMContentLoaded", () => makeButtons(document));
  document.addEventListener("formset:added", (event) => makeButtons(event.target));
})();
