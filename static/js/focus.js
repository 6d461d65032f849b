// A part of the page that was exchanged may have held the focus. What has an id gets it back from
// htmx; else it goes to the new part, so that the keyboard does not start from the top again.
"use strict";

document.addEventListener("htmx:afterSettle", (event) => {
  if (document.activeElement === document.body) {
    event.detail.target.focus({ preventScroll: true });
  }
});
