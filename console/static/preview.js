// The live preview: after a pause in typing the form is sent, and what it would do comes back as HTML.
import { showTimes } from "./time.js";

// pause is how long to wait for the next key, in milliseconds.
const pause = 300;

// startPreviewing shows what the form would do as it is typed, and prepares what comes with offer. It returns what asks for
// it at once.
export function startPreviewing(form, offer) {
  const view = { form, offer, timer: 0, under: null, shown: bindingOf(form) };
  form.querySelector("#ask-preview").hidden = true;
  const later = () => {
    clearTimeout(view.timer);
    view.under?.abort(); // it tells of what is no longer there
    view.timer = setTimeout(() => ask(view), pause);
  };
  form.addEventListener("input", later);
  form.addEventListener("submit", () => {
    clearTimeout(view.timer);
    view.under?.abort();
  });
  if (document.getElementById("beside").dataset.refresh) {
    ask(view);
  }
  return later;
}

// bindingOf is what the fields beside the form depend on.
function bindingOf(form) {
  return JSON.stringify([form.source_id.value, form.environment.value, form.event.value]);
}

async function ask(view) {
  const own = (view.under = new AbortController());
  const binding = bindingOf(view.form);
  say("Updating…");
  try {
    const answer = await fetch("/triggers/preview?part=1", { method: "POST", body: new URLSearchParams(new FormData(view.form)), signal: own.signal });
    const text = await answer.text();
    if (own.signal.aborted) {
      return;
    }
    if (!answer.ok || answer.redirected) {
      return say(answer.redirected ? "The login has ended. Log in in another tab." : "That did not work. It is tried again when you type.");
    }
    const came = document.createElement("template");
    came.innerHTML = text; // the server has escaped what is in it, and the policy of the page runs no script
    show(view, came.content, binding);
  } catch {
    if (!own.signal.aborted) {
      say("The console does not answer. It is asked again when you type.");
    }
  }
}

function show(view, came, binding) {
  showTimes(came);
  const open = new Map([...document.querySelectorAll("#preview details")].map((details) => [details.dataset.id, details.open]));
  const preview = came.querySelector("#preview");
  for (const details of preview.querySelectorAll("details")) {
    details.open = open.get(details.dataset.id) ?? details.open;
  }
  const focused = document.activeElement.closest?.("#preview details")?.dataset.id;
  replace(preview);
  if (focused) {
    preview.querySelector(`details[data-id="${CSS.escape(focused)}"] summary`)?.focus();
  }
  if (view.shown !== binding || !document.querySelector("#fields tbody")) {
    replace(came.querySelector("#fields"));
    view.shown = binding;
  }
  view.offer(document);
  document.getElementById("beside").removeAttribute("data-refresh");
  const isWrong = place(view.form, came.querySelector("#faults"));
  say(isWrong ? "To be mended" : "Up to date");
}

// replace puts a part beside the form in place of the one there is.
function replace(part) {
  document.getElementById(part.id).replaceWith(part);
}

// place puts what is wrong with inputs below them, and tells whether anything is.
function place(form, faults) {
  for (const slot of form.querySelectorAll(".slot")) {
    const id = slot.id.replace(/-slot$/, "");
    const own = [...faults.querySelectorAll(`[data-input="${CSS.escape(id)}"]`)];
    slot.replaceChildren(...own.flatMap((fault) => [...fault.children]));
    const input = document.getElementById(id);
    if (own.some((fault) => !fault.hasAttribute("data-hint"))) {
      input.setAttribute("aria-invalid", "true");
    } else {
      input.removeAttribute("aria-invalid");
    }
  }
  return Boolean(faults.querySelector("[data-input]:not([data-hint])"));
}

function say(text) {
  const state = document.getElementById("preview-state");
  if (state.textContent !== text) {
    state.textContent = text;
  }
}
