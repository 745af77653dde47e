// Inputs of times: they take an age, such as 24h, or a time in UTC. A button opens a picker in the viewer's zone, and what
// is picked there is written into the input, whose text is all that is sent.

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

// offerPicking serves the inputs of times below root.
export function offerPicking(root) {
  for (const field of root.querySelectorAll(".field.time")) {
    const button = field.querySelector("button");
    const picker = field.querySelector(".picker");
    const parts = { button, picker, text: field.querySelector("input[name]"), local: picker.querySelector("input") };
    button.hidden = false;
    button.addEventListener("click", () => (picker.hidden ? open(parts) : close(parts)));
    parts.local.addEventListener("input", () => write(parts));
    parts.text.addEventListener("input", () => (parts.local.value = local(momentOf(parts.text.value))));
    picker.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        close(parts);
        button.focus();
      }
    });
  }
}

function open({ button, picker, text, local: input }) {
  picker.hidden = false;
  button.setAttribute("aria-expanded", "true");
  input.value = local(momentOf(text.value));
  input.focus();
}

function close({ button, picker }) {
  picker.hidden = true;
  button.setAttribute("aria-expanded", "false");
}

function write({ text, local: input }) {
  const at = new Date(input.value); // without a zone it is the viewer's
  if (!isNaN(at)) {
    text.value = at.toISOString().replace(/\.000Z$/, "Z");
  }
}

// momentOf is the time that a text stands for: what is no age and no time is now.
function momentOf(text) {
  const age = /^-?((\d+(\.\d+)?)(ms|s|m|h))+$/.test(text.trim());
  if (age) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
    return new Date(Date.now() - parts.reduce((sum, [, count, unit]) => sum + count * units[unit], 0));
  }
  const at = new Date(text);
  return text.trim() === "" || isNaN(at) ? new Date() : at;
}

// local writes a time as the picker takes it: in the viewer's zone, to the second.
function local(at) {
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
