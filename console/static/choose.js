// Boxes to tick in lists. Without this they are ticked one by one.

// startChoosing serves the lists that there are, and those that come later.
export function startChoosing() {
  document.addEventListener("change", ({ target }) => {
    const form = target.form;
    if (!form || target.type !== "checkbox") {
      return;
    }
    const all = form.querySelector("input[data-all]");
    const boxes = [...form.querySelectorAll(`input[name="${all?.dataset.all}"]`)];
    if (target === all) {
      boxes.forEach((box) => (box.checked = all.checked));
    }
    if (all) {
      tell(form, all, boxes);
    }
  });
}

// tell says on the button how many are chosen, and in the box of all whether these are all.
function tell(form, all, boxes) {
  const chosen = boxes.filter((box) => box.checked).length;
  all.checked = chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  const button = form.querySelector("button[data-chosen]");
  button.textContent = chosen > 0 ? `Send ${chosen} chosen again` : "Send chosen again";
}
