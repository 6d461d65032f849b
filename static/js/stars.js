// A click on a star sends its form at once. By keyboard, arrows choose and Enter sends: an arrow key
// must not rate. Without this script the form's own button sends.
"use strict";

document.addEventListener("click", (event) => {
  const label = event.target.closest("[data-stars] label");
  // A key that chooses a star makes a click too, on the radio button itself.
  if (!label || event.target === label.control) {
    return;
  }
  event.preventDefault();
  label.control.checked = true;
  label.control.form.requestSubmit();
});
