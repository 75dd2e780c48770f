"use strict";

// Asks before a page is left whose form holds unsaved work. A dialog's button saves the
// form first and opens the dialog afterwards, because a dialog ends in a new page.
(() => {
  const THEN = "shop-dialog-after-save";
  const IGNORED = new Set(["csrfmiddlewaretoken", "_once", "_seen"]);
  /** Each form with what was in it at first. */
  const forms = new Map();
  let leaving = false;

  const textOf = (value) =>
    value instanceof File ? `${value.name} ${value.size}` : value;

  const contentOf = (form) =>
    JSON.stringify(
      [...new FormData(form)]
        .filter(([name]) => !IGNORED.has(name))
        .map(([name, value]) => [name, textOf(value)]),
    );

  const isVisible = (form) => form.isConnected && form.getClientRects().length > 0;

  const isChanged = (form) =>
    isVisible(form) &&
    (form.querySelector("[data-unsaved]") !== null ||
      contentOf(form) !== forms.get(form));

  // Attributes, not properties: an input named "action" hides that of its form.
  const attribute = (form, name) => (form.getAttribute(name) ?? "").toLowerCase();

  const holdsWork = (form) =>
    attribute(form, "method") === "post" &&
    attribute(form, "id") !== "changelist-form" &&
    !attribute(form, "action").endsWith("/logout/") &&
    !form.closest("dialog");

  const track = () => {
    for (const form of document.forms) {
      if (holdsWork(form) && !forms.has(form)) forms.set(form, contentOf(form));
    }
  };

  const changedForms = () => [...forms.keys()].filter(isChanged);

  window.addEventListener("beforeunload", (event) => {
    if (!leaving && changedForms().length) event.preventDefault();
  });

  const leaveFor = () => {
    leaving = true;
    // A download leaves the page where it is.
    setTimeout(() => (leaving = false), 2000);
  };

  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    // Another form's work would be lost with the page.
    if (changedForms().every((form) => form === event.target)) leaveFor();
  });

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const goes = event.detail.xhr.getResponseHeader("HX-Redirect");
    const form = event.detail.elt;
    if (goes && changedForms().every((changed) => changed === form)) leaveFor();
  });

  // --- Dialogs ------------------------------------------------------------------------

  const openers = () => [...document.querySelectorAll("[hx-target='#modal-content']")];
  const pathOf = (opener) => opener.getAttribute("hx-get");
  const dialogForm = () => document.querySelector("#dialog form");

  const saveFirst = (opener, form) => {
    sessionStorage.setItem(THEN, pathOf(opener));
    const stay = [...form.elements].find((element) => element.name === "_continue");
    form.requestSubmit(stay);
  };

  // A click beside a dialog hides it; its button shows it again as it was.
  const showAgain = (opener) => {
    const path = new URL(dialogForm().getAttribute("hx-post"), location).pathname;
    if (path !== new URL(pathOf(opener), location).pathname) return false;
    opener.dispatchEvent(new CustomEvent("htmx:after-on-load"));
    return true;
  };

  const isHiddenWork = (form) =>
    form && forms.has(form) && contentOf(form) !== forms.get(form);

  window.addEventListener(
    "click",
    (event) => {
      const opener = event.target.closest?.("[hx-target='#modal-content']");
      if (!opener) return;
      const changed = changedForms().find((form) => !form.closest("#dialog"));
      const again = isHiddenWork(dialogForm()) && showAgain(opener);
      if (!changed && !again) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!again) saveFirst(opener, changed);
    },
    true,
  );

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#dialog a[href='#']")) return;
    event.preventDefault();
    forms.delete(dialogForm());
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "modal-content") track();
  });

  const openAfterSave = () => {
    const path = sessionStorage.getItem(THEN);
    sessionStorage.removeItem(THEN);
    // Only where the form was saved, and not shown again with its errors.
    if (!path || document.querySelector("[data-unsaved]")) return;
    openers()
      .find((opener) => pathOf(opener) === path)
      ?.click();
  };

  window.addEventListener("load", () =>
    // Widgets fill in their own values first.
    setTimeout(() => {
      track();
      openAfterSave();
    }, 0),
  );
})();
