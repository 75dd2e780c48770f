"use strict";

// A button beside an error message: it puts values into the form and submits it again.
(() => {
  const setField = (form, name, value) => {
    const field = form.elements[name];
    if (!field) return;
    if (field.tagName === "SELECT" && typeof value === "object") {
      field.append(new Option(value.text, value.id, true, true));
      field.value = value.id;
    } else {
      field.value = value;
    }
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const addHidden = (form, name, value) => {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  };

  document.addEventListener("click", (event) => {
    const offer = event.target.closest("[data-offer]");
    const form = offer?.closest("form");
    if (!form) return;
    const values = JSON.parse(offer.dataset.values);
    for (const [name, value] of Object.entries(values)) setField(form, name, value);
    if (offer.dataset.accepts) addHidden(form, "_accepted", offer.dataset.accepts);
    // The page stays open: there is more to see than the list after a surprise.
    const stay = [...form.elements].find((element) => element.name === "_continue");
    form.requestSubmit(stay);
  });
})();
