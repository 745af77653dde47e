// The live view: rows come as server-sent events, made by the server as those of the page.
import { showTimes } from "./time.js";

// maxRows is how many rows a live view keeps; the oldest go.
const maxRows = 200;

// startLive serves the switch beside the heading of a list. #live in the address, or live=1, switches it on.
export function startLive(box) {
  if (!box) {
    return;
  }
  box.hidden = false;
  const view = { box, button: box.querySelector("button"), status: box.querySelector("[role=status]"), stream: null, came: 0, early: [] };
  view.awaitsOutcome = Boolean(new URLSearchParams(location.search).get("status"));
  view.button.addEventListener("click", () => (view.stream ? stop(view, "") : start(view)));
  if (location.hash === "#live") {
    start(view);
  }
}

function start(view) {
  view.stream = new EventSource(view.box.dataset.live);
  view.button.setAttribute("aria-pressed", "true");
  history.replaceState(null, "", "#live");
  say(view, "Connecting…");
  view.stream.addEventListener("row", (event) => add(view, event.data));
  view.stream.addEventListener("decided", (event) => decide(view, event.data));
  view.stream.addEventListener("alive", () => {
    addEarly(view);
    say(view, `${view.came} new`);
  });
  view.stream.addEventListener("failed", (event) => stop(view, event.data));
  view.stream.addEventListener("error", () => {
    if (view.stream?.readyState === EventSource.CLOSED) {
      stop(view, "The live view was refused. Load the page again.");
    } else {
      say(view, "Connecting again…");
    }
  });
}

function stop(view, why) {
  view.stream.close();
  view.stream = null;
  view.button.setAttribute("aria-pressed", "false");
  history.replaceState(null, "", location.pathname + location.search);
  say(view, why);
}

function say(view, text) {
  if (view.status.textContent !== text) {
    view.status.textContent = text;
  }
}

// rowOf makes a row of the HTML of one. The server has escaped what is in it, and the policy of the page runs no script.
function rowOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  showTimes(template.content);
  return template.content.querySelector("tr");
}

// bodyOf is where rows go: nothing while the list is not there yet.
function bodyOf(view) {
  return document.querySelector(`#${view.box.dataset.table} tbody`);
}

function known(view, row) {
  return bodyOf(view)?.querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
}

function add(view, html) {
  if (!bodyOf(view)) {
    view.early = [...view.early.slice(1 - maxRows), html];
    return;
  }
  const row = rowOf(html);
  const before = known(view, row);
  if (before) {
    before.replaceWith(row);
    return;
  }
  const body = bodyOf(view);
  row.classList.add("new");
  body.prepend(row);
  body.closest(".scroll").querySelector(".empty")?.remove();
  view.came++;
  while (body.rows.length > maxRows) {
    body.rows[body.rows.length - 1].remove();
  }
}


// addEarly adds the rows that came before the list did.
function addEarly(view) {
  if (bodyOf(view)) {
    view.early.splice(0).forEach((html) => add(view, html));
  }
}

// decide shows what became of an event. One that a filter for its outcome kept back until now is new.
function decide(view, html) {
  const row = rowOf(html);
  const before = known(view, row);
  if (before) {
    before.replaceWith(row);
  } else if (view.awaitsOutcome) {
    add(view, html);
  }
}
