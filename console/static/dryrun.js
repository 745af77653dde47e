// Dry runs of replays: how far one is, line by line, and a button that ends it. Without this the form waits for the result.
import { offerCopying } from "./copy.js";
import { offerPicking } from "./pick.js";
import { offerSuggestions } from "./suggest.js";
import { showTimes } from "./time.js";

// offerDryRuns serves the form of a replay below root.
export function offerDryRuns(root) {
  const form = root.querySelector("form[data-live]");
  if (!form) {
    return;
  }
  form.addEventListener("submit", (event) => {
    if (event.submitter?.matches("[data-dryrun]")) {
      event.preventDefault();
      run(form);
    }
  });
  for (const name of ["source", "environment"]) {
    form.elements[name].addEventListener("change", () => showTriggers(form));
  }
}

// settingsOf is the form as the address of a page has it.
function settingsOf(form) {
  const settings = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== "" && name !== "key"));
  return `/replays/new?${settings}`;
}

async function run(form) {
  const box = form.querySelector("#dryrun");
  if (!box.hidden) {
    return; // one is under way
  }
  const view = { box, status: box.querySelector("[role=status]"), bar: box.querySelector("progress"), stop: new AbortController() };
  const cancel = box.querySelector("button");
  cancel.hidden = false;
  cancel.onclick = () => view.stop.abort();
  box.hidden = false;
  view.bar.hidden = false;
  view.bar.removeAttribute("value");
  say(view, "Asking for a dry run…");
  box.scrollIntoView({ block: "nearest" });
  const ended = await follow(form, view);
  if (ended) {
    view.bar.hidden = cancel.hidden = true;
    say(view, ended);
    setTimeout(() => (box.hidden = true), 6000);
  }
}

// follow shows how far the dry run is, and its page at the end. It returns why there is none, or nothing.
async function follow(form, view) {
  try {
    const answer = await fetch(form.dataset.live, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: view.stop.signal });
    if (!answer.headers.get("Content-Type")?.startsWith("application/x-ndjson")) {
      form.submit(); // a login that has ended, or a failure: as it is without a script
      return "";
    }
    for await (const line of linesOf(answer.body)) {
      if (line.page) {
        return put(line.page, settingsOf(form));
      }
      show(view, line);
    }
    return "The dry run was broken off. Nothing was created; try it again.";
  } catch {
    return view.stop.signal.aborted ? "The dry run is cancelled. Nothing was created." : "The console does not answer. Nothing was created; try it again.";
  }
}

// linesOf reads objects, one a line.
async function* linesOf(body) {
  let rest = "";
  for (const reader = body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines.map((line) => JSON.parse(line));
  }
}

function show(view, line) {
  if (line.percent === undefined) {
    view.bar.removeAttribute("value");
  } else {
    view.bar.value = line.percent;
  }
  say(view, line.text);
}

function say(view, text) {
  view.status.textContent = text;
}

// put shows the page of a dry run in place of this one. Its address has the settings, so that it can be loaded again.
function put(html, address) {
  const main = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  document.querySelector("main").replaceWith(main);
  history.replaceState(null, "", address);
  showTimes(main);
  offerCopying(main);
  offerSuggestions(main);
  offerPicking(main);
  offerDryRuns(main);
  (main.querySelector("#result, [aria-invalid]") ?? main).focus();
  scrollTo(0, 0);
  return "";
}

// showTriggers shows those of the source and environment that are chosen now.
async function showTriggers(form) {
  const address = settingsOf(form);
  try {
    const answer = await fetch(address);
    const loaded = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("triggers");
    if (loaded && address === settingsOf(form)) {
      form.querySelector("#triggers").replaceWith(loaded);
    }
  } catch {
    // The button asks for them as well.
  }
}
