// What the keyboard needs of a script.
"use strict";

// A part of the page that was exchanged may have held the focus. What has an id gets it back from
// htmx; else it goes to the new part, so that the keyboard does not start from the top again.
document.addEventListener("htmx:afterSettle", (event) => {
  if (document.activeElement === document.body) {
    event.detail.target.focus({ preventScroll: true });
  }
});

// Under the search field arrows go from title to title, and Escape puts the titles away.
document.addEventListener("keydown", (event) => {
  const search = event.target.closest(".search");
  if (!search) {
    return;
  }
  const [field, ...links] = search.querySelectorAll(".search__text, .suggestions__link");
  if (event.key === "Escape" && links.length) {
    event.preventDefault(); // which else empties the field
    search.querySelector(".suggestions").replaceChildren();
    field.focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && links.length) {
    event.preventDefault();
    const stops = [field, ...links];
    const here = Math.max(stops.indexOf(document.activeElement), 0);
    stops[(here + step + stops.length) % stops.length].focus();
  }
});
