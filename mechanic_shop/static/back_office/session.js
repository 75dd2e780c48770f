"use strict";

// What is sent by a form or a dialog needs a session. If it has ended, or another tab has
// signed in as somebody else, a small sign-in appears over the page, and then the form is
// sent: the page is never left, so nothing that was typed or chosen is lost.
document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("meta[name=shop-session]")?.dataset;
  if (!page) return;

  const PATIENCE = 10_000;

  const fetchState = async () => {
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(page.stateUrl, { cache: "no-store", signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  };

  const isMine = (state) => String(state.user_id) === page.userId;

  const renewTokens = (token) => {
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) {
      field.value = token;
    }
  };

  // --- The sign-in over the page ------------------------------------------------------

  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const password = make("input", {
    type: "password",
    name: "password",
    autocomplete: "current-password",
    required: true,
    id: "shop-sign-in-password",
  });
  const reason = make("p", {});
  const problem = make("p", { className: "shop-sign-in-problem" });
  problem.setAttribute("role", "alert");
  const signIn = make("form", { method: "dialog" });
  const fields = make("div", {});
  const overlay = make("dialog", { className: "shop-sign-in" }, signIn);
  overlay.setAttribute("aria-labelledby", "shop-sign-in-title");
  // A dialog below closes itself for clicks beside it and for Escape.
  for (const type of ["click", "keydown"]) {
    overlay.addEventListener(type, (event) => event.stopPropagation());
  }

  const button = (text, className) => make("button", { textContent: text, className });
  const cancel = button("Not now", "shop-plain");
  const submit = button("Sign in and save", "shop-offer");
  cancel.type = "button";
  signIn.append(
    make("h2", { id: "shop-sign-in-title", textContent: "Sign in again" }),
    reason,
    fields,
    problem,
    make("div", { className: "shop-buttons" }, submit, cancel),
  );

  const explain = (state) => {
    const now = state?.login;
    reason.textContent = now
      ? `${now} is signed in now in this browser. This page belongs to ${page.login}; what you typed is still here and is not saved.`
      : "Your session has ended. What you typed is still here and is not saved.";
    fields.replaceChildren(
      make("p", { textContent: page.login, className: "shop-sign-in-login" }),
      make("label", { htmlFor: password.id, textContent: "Password" }),
      password,
    );
    submit.textContent = "Sign in and save";
  };

  const explainNoServer = () => {
    reason.textContent = "The server does not answer. What you typed is still here.";
    fields.replaceChildren();
    submit.textContent = "Try again";
  };

  // A refused sign-in is a page; its sentence is all that is needed.
  const sentenceOf = (html) => {
    const found = new DOMParser().parseFromString(html, "text/html");
    const said = found.querySelector(".errornote") ?? found.querySelector("h1 + p");
    return said?.textContent.trim().replace(/\s+/g, " ") || "This did not work. Try again.";
  };

  const postPassword = async () => {
    const { csrf_token: csrfmiddlewaretoken } = await fetchState();
    const response = await fetch(page.loginUrl, {
      method: "POST",
      body: new URLSearchParams({
        username: page.login,
        password: password.value,
        csrfmiddlewaretoken,
        next: page.stateUrl,
      }),
    });
    if (response.redirected && response.ok) return response.json();
    problem.textContent = sentenceOf(await response.text());
    return null;
  };

  // Resolves to the new token, or to null if the person does not want to sign in now.
  const ask = (explainFirst) =>
    new Promise((resolve) => {
      explainFirst();
      problem.textContent = "";
      password.value = "";
      document.body.append(overlay);
      const finish = (token) => {
        overlay.close();
        overlay.remove();
        signIn.onsubmit = cancel.onclick = overlay.oncancel = null;
        resolve(token);
      };
      cancel.onclick = overlay.oncancel = () => finish(null);
      signIn.onsubmit = async (event) => {
        event.preventDefault();
        submit.disabled = true;
        try {
          const state = password.isConnected ? await postPassword() : await fetchState();
          if (state && isMine(state)) finish(state.csrf_token);
          else if (state) explain(state);
        } catch {
          explainNoServer();
        } finally {
          submit.disabled = false;
        }
      };
      overlay.showModal();
    });

  // Resolves to a fresh token of this page's user, or to null.
  const ensureSession = async () => {
    let token = null;
    try {
      const state = await fetchState();
      token = isMine(state) ? state.csrf_token : await ask(() => explain(state));
    } catch {
      token = await ask(explainNoServer);
    }
    if (token) renewTokens(token);
    return token;
  };

  // --- Forms and dialogs that wait for it ---------------------------------------------

  const checked = new WeakSet();
  const waiting = new WeakSet();

  // Attributes, not properties: an input named "action" hides that of its form.
  const attribute = (form, name) => (form.getAttribute(name) ?? "").toLowerCase();

  const needsSession = (form) =>
    attribute(form, "method") === "post" &&
    !form.hasAttribute("hx-post") &&
    !attribute(form, "action").endsWith("/logout/");

  const sendWithSession = async (form, submitter) => {
    waiting.add(form);
    const token = await ensureSession();
    waiting.delete(form);
    if (!token) return;
    checked.add(form);
    form.requestSubmit(submitter);
    checked.delete(form);
  };

  window.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form === signIn || checked.has(form) || !needsSession(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!waiting.has(form)) sendWithSession(form, event.submitter);
    },
    true,
  );

  const isDialog = (element) =>
    ["#modal-content", "#dialog-form"].includes(element.getAttribute("hx-target"));

  document.addEventListener("htmx:confirm", (event) => {
    const element = event.detail.elt;
    if (!isDialog(element)) return;
    event.preventDefault();
    if (waiting.has(element)) return;
    waiting.add(element);
    ensureSession().then((token) => {
      waiting.delete(element);
      if (token) event.detail.issueRequest(true);
    });
  });

  // The selects that search while one types say only that they could not load.
  window.addEventListener("load", () => {
    const jQuery = window.django?.jQuery;
    jQuery?.(document).on("ajaxError", () => {
      if (!overlay.isConnected) ensureSession();
    });
  });
});
