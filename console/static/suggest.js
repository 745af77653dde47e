// Inputs that suggest what could be meant, asked for when somebody goes there.

// offerSuggestions serves the inputs below root.
export function offerSuggestions(root) {
  for (const input of root.querySelectorAll("input[data-suggest]")) {
    input.addEventListener("focus", () => suggest(input), { once: true });
  }
}

async function suggest(input) {
  try {
    const answer = await fetch(input.dataset.suggest);
    const texts = answer.ok ? await answer.json() : [];
    input.list.replaceChildren(...texts.map((text) => new Option("", text)));
  } catch {
    // It can be typed as well.
  }
}
