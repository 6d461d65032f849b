// One act at a time, in the order of the clicks: every answer shows what holds after its act, and two
// that cross would show the older one. An answer replaces forms, so what a form says is kept until its turn.
"use strict";

(() => {
  const waiting = [];
  let busy = false;

  const next = () => {
    busy = false;
    const act = waiting.shift();
    const target = act && document.querySelector(act.target);
    if (target) {
      window.htmx.ajax("POST", act.path, { source: target, target, values: act.values });
    } else if (act) {
      next();
    }
  };

  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    if (detail.requestConfig.verb === "post") {
      busy = true;
      detail.xhr.addEventListener("loadend", next);
    }
  });

  document.addEventListener("htmx:confirm", (event) => {
    const { elt, path, target, triggeringEvent, verb } = event.detail;
    if (busy && verb === "post") {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(elt, triggeringEvent.submitter));
      waiting.push({ path, target: `#${target.id}`, values });
    }
  });
})();
