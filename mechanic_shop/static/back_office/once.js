"use strict";

// The server acts once on a form. This only spares people the second click.
(() => {
  const PATIENCE = 8000;

  const hold = (form, held) => {
    for (const element of form.elements) {
      if (element.type === "submit") {
        element.disabled = held;
        element.style.opacity = held ? "0.6" : "";
      }
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    // After the fields were collected: a disabled button would not be among them.
    setTimeout(() => hold(form, true), 0);
    // A download leaves the page where it is.
    setTimeout(() => hold(form, false), PATIENCE);
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches?.("form")) hold(event.target, true);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const leaves = event.detail.xhr?.getResponseHeader("HX-Redirect");
    if (event.target.matches?.("form") && !leaves) hold(event.target, false);
  });

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.forms) hold(form, false);
  });
})();
