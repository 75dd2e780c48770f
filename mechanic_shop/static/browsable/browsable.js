/* Lists are typed with commas between them; the API takes one value for each item.
   A filter that is not used stays out of the address. */
"use strict";

for (const form of document.forms) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const { name, value } of form.querySelectorAll("[data-list]")) {
      formData.delete(name);
      value.split(/[\s,]+/).filter(Boolean).forEach((item) => formData.append(name, item));
    }
    if (form.closest(".filters")) {
      for (const [name, value] of [...formData]) if (!value) formData.delete(name);
    }
  });
}

prettyPrint();
