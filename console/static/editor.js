// The editor of triggers: rows that come and go, fields that are picked, and names that are suggested. What it would do
// is shown by preview.js.
import { startPreviewing } from "./preview.js";

// startEditing serves the form of a trigger.
export function startEditing(form) {
  if (!form) {
    return;
  }
  const refresh = startPreviewing(form, offerPicking);
  serveRows(form, refresh);
  servePicks(form, refresh);
  form.event.addEventListener("focus", () => suggestNames(form));
  offerPicking(document);
}

function serveRows(form, refresh) {
  const rows = form.querySelector("#rows");
  const empty = rows.lastElementChild.cloneNode(true);
  form.querySelector("#add-row").addEventListener("click", (event) => {
    event.preventDefault();
    rows.append(empty.cloneNode(true));
    number(rows);
    rows.lastElementChild.querySelector(".key").focus();
  });
  rows.addEventListener("click", (event) => {
    const row = event.target.closest(".remove")?.closest(".datarow");
    if (!row) {
      return;
    }
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    number(rows);
    (next?.querySelector(".key") ?? form.querySelector("#add-row")).focus();
    refresh();
  });
  number(rows);
}

// number gives rows the numbers that they are posted with: the server names a row by it.
function number(rows) {
  [...rows.children].forEach((row, i) => {
    for (const element of row.querySelectorAll("[id], [for], [aria-describedby]")) {
      for (const name of ["id", "for", "aria-describedby"]) {
        if (element.hasAttribute(name)) {
          element.setAttribute(name, element.getAttribute(name).replace(/^data-\d+/, `data-${i}`));
        }
      }
    }
    row.querySelector(".remove").hidden = false;
  });
}

// offerPicking makes buttons of the paths below root.
function offerPicking(root) {
  for (const code of root.querySelectorAll("code[data-path]:not(button code)")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "plain insert", title: "Put it where you typed last" });
    code.replaceWith(button);
    button.append(code);
  }
}

// servePicks puts a path that is picked into the input that was used last, or into the condition.
function servePicks(form, refresh) {
  let last = form.condition;
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("#condition, .value")) {
      last = event.target;
    }
  });
  document.addEventListener("click", (event) => {
    const path = event.target.closest(".insert")?.querySelector("code").dataset.path;
    if (path === undefined) {
      return;
    }
    insert(last.isConnected && last.checkVisibility() ? last : form.condition, path);
    refresh();
  });
}

function insert(input, path) {
  const kind = input.closest(".entry")?.querySelector(".kind");
  input.focus();
  if (kind && kind.value !== "expression") {
    kind.value = "path";
    input.value = path;
    return;
  }
  input.setRangeText(expressionOf(path), input.selectionStart, input.selectionEnd, "end");
}

// expressionOf writes a path as conditions and expressions read it: data.items.0.sku is data.items[0].sku there.
function expressionOf(path) {
  const steps = path.match(/(?:\\.|[^.\\])+/gs).map((step) => step.replace(/\\(.)/gs, "$1"));
  return steps.reduce((text, step) => {
    if (/^\d+$/.test(step)) {
      return `${text}[${step}]`;
    }
    return /^[A-Za-z_]\w*$/.test(step) ? `${text}.${step}` : `${text}[${JSON.stringify(step)}]`;
  });
}

// suggestNames suggests the events that the chosen source has sent.
async function suggestNames(form) {
  const of = new URLSearchParams({ source: form.source_id.value, environment: form.environment.value }).toString();
  if (form.event.dataset.of === of) {
    return;
  }
  form.event.dataset.of = of;
  try {
    const answer = await fetch(`/logs/names?${of}`);
    const names = answer.ok ? await answer.json() : [];
    form.event.list.replaceChildren(...names.map((name) => new Option("", name)));
  } catch {
    // It can be typed as well.
  }
}
