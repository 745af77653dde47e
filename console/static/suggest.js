// Inputs that suggest what could be meant, asked for when somebody goes there.

// offerSuggestions serves the inputs below root.
export function offerSuggestions(root) {
  for (const input of root.querySelectorAll("input[data-suggest]")) {
    input.addEventListener("focus", () => suggest(input));
  }
}

// narrowing are the inputs of a form on which it depends what can be meant.
const narrowing = ["source", "environment", "event"];

async function suggest(input) {
  const address = new URL(input.dataset.suggest, location.href);
  for (const name of narrowing) {
    const value = input.form?.elements[name]?.value;
    if (value && name !== input.name) {
      address.searchParams.set(name, value);
    }
  }
  if (input.dataset.suggested === address.href) {
    return;
  }
  try {
    const answer = await fetch(address);
    const texts = answer.ok ? await answer.json() : [];
    input.list.replaceChildren(...texts.map((text) => new Option("", text)));
    input.dataset.suggested = address.href;
  } catch {
    // It can be typed as well.
  }
}
