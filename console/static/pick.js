// Inputs that choose a time in the viewer's zone for others, which take UTC.

// offerPicking serves what is hidden below root until a script can serve it.
export function offerPicking(root) {
  for (const box of root.querySelectorAll("[data-picking]")) {
    box.hidden = false;
    for (const input of box.querySelectorAll("input[data-picks]")) {
      input.addEventListener("change", () => pick(input));
    }
  }
}

function pick(input) {
  const at = new Date(input.value); // without a zone it is the viewer's
  if (!Number.isNaN(at.getTime())) {
    input.form.elements[input.dataset.picks].value = at.toISOString().replace(".000Z", "Z");
  }
}
