// What the weights of an experiment's variants are in sum, said while they are typed. Without this script the
// form says it once it was sent.
"use strict";

(() => {
  const told = document.querySelector("[data-weights]");
  const fields = document.querySelectorAll('[name^="variant-"][name$="-weight"]');

  const tell = () => {
    const sum = [...fields].reduce((total, field) => total + (Number(field.value) || 0), 0);
    // Typed decimals: what is off by less than this is off by rounding.
    const rest = Math.round((1 - sum) * 1e6) / 1e6;
    const said = `The weights are ${Math.round(sum * 1e6) / 1e6} in sum`;
    if (rest === 0) told.textContent = `${said}.`;
    else told.textContent = rest > 0 ? `${said}: ${rest} is left.` : `${said}: ${-rest} too much.`;
  };

  for (const field of fields) field.addEventListener("input", tell);
  tell();
})();
