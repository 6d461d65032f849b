// What a click does: the stars, and the second click of a double click, which does nothing.
//
// Stars are a range from 0 to 5, and without this script the form's own button sends. With it a click
// on a star sends at once. By keyboard, arrows choose and Enter sends: an arrow key must not rate.
// Under the pointer, once it moves, are the stars that a click would give.
"use strict";

(() => {
  const RANGE = ".stars__range";
  // The range begins half a star before the first one, where its handle says that there is none.
  const WIDTH_IN_STARS = 5.5;
  let pressed = null;

  const wordsFor = (value) => {
    const whole = Math.floor(value);
    const count = value % 1 ? `${whole || ""}½` : String(whole);
    return value === 0 ? "no stars yet" : `${count} ${value > 1 ? "stars" : "star"}`;
  };

  const describe = (range) => {
    range.setAttribute("aria-valuetext", wordsFor(Number(range.value)));
  };

  const send = (range) => {
    pressed = null;
    range.form.querySelector("[value=rate]").click();
  };

  const starsUnder = (range, x) => {
    const box = range.getBoundingClientRect();
    const halves = Math.ceil(((x - box.left) / box.width) * WIDTH_IN_STARS * 2) - 1;
    return Math.min(Math.max(halves, 0), 10) / 2;
  };

  document.addEventListener("pointerdown", (event) => {
    pressed = event.button === 0 && event.target.matches(RANGE) ? event.target : null;
  });

  // By the second press of a double click, another film may stand under the pointer.
  document.addEventListener("mousedown", (event) => {
    if (event.detail > 1 && event.target.matches(RANGE)) {
      event.preventDefault();
      pressed = null;
    }
  });

  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("a, form button")) {
      event.preventDefault();
    }
  });

  // A finger that moves the page has chosen nothing.
  document.addEventListener("pointercancel", () => {
    if (pressed) {
      pressed.value = pressed.defaultValue;
    }
    pressed = null;
  });

  // A change when the pointer lets go; a click alone where that star was chosen before.
  for (const name of ["change", "click"]) {
    document.addEventListener(name, (event) => {
      if (pressed && event.target === pressed && Number(pressed.value)) {
        send(pressed);
      }
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches(RANGE)) {
      event.preventDefault();
      send(event.target);
    }
  });

  document.addEventListener("focusin", (event) => event.target.matches(RANGE) && describe(event.target));
  document.addEventListener("input", (event) => event.target.matches(RANGE) && describe(event.target));

  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.target.matches(RANGE)) {
      const under = starsUnder(event.target, event.clientX);
      event.target.dataset.under = under;
      event.target.title = under ? wordsFor(under) : "";
    }
  });

  document.addEventListener("pointerout", (event) => {
    if (event.target.matches(RANGE)) {
      delete event.target.dataset.under;
    }
  });
})();
