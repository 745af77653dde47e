// Buttons that copy the text beside them.

// offerCopying shows the buttons below root.
export function offerCopying(root) {
  for (const button of root.querySelectorAll("button.copying")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const text = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    // Without HTTPS, browsers let pages copy only what is selected.
    getSelection().selectAllChildren(text);
    if (!document.execCommand("copy")) {
      return say(button, "Press Ctrl+C");
    }
    getSelection().removeAllRanges();
  }
  say(button, "Copied");
}

function say(button, word) {
  const label = button.firstChild;
  const before = (button.dataset.label ??= label.textContent);
  label.textContent = word;
  button.setAttribute("aria-live", "polite");
  setTimeout(() => (label.textContent = before), 1500);
}
