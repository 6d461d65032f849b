// One act at a time, in the order of the clicks: every answer shows what holds after its act, and two
// that cross would show the older one. An answer replaces forms, so what a form says is kept until its
// turn, all but its id: by the one of the first click, the third of a, b, a would be a's repetition.
// What did not arrive is said, and what still waits when the page is left goes along.
"use strict";

(() => {
  const waiting = [];
  let busy = false;

  const idIn = (target, id) => target.querySelector("[name=client_id]")?.value ?? id;

  const next = () => {
    busy = false;
    const act = waiting.shift();
    const target = act && document.querySelector(act.target);
    if (target) {
      const values = { ...act.values, client_id: idIn(target, act.values.client_id) };
      window.htmx.ajax("POST", act.path, { source: target, target, values });
    } else if (act) {
      next();
    }
  };

  const tell = (isLost) => {
    document.getElementById("not-sent").hidden = !isLost;
  };

  document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig.verb === "post") {
      busy = true;
      tell(false);
      xhr.addEventListener("load", () => tell(xhr.status >= 400));
      xhr.addEventListener("error", () => tell(true));
      xhr.addEventListener("loadend", next);
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

  window.addEventListener("pagehide", () => {
    for (const act of waiting.splice(0)) {
      navigator.sendBeacon(act.path, new URLSearchParams(act.values));
    }
  });
})();
