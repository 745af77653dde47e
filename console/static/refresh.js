// Parts of pages that come later, or look again for what has changed.
import { offerCopying } from "./copy.js";
import { showTimes } from "./time.js";

// afterFailure is how long to wait, in seconds, when the console did not answer.
const afterFailure = 5;

// startRefreshing loads the page again every data-refresh seconds and puts the part of it with the same id in place, while
// it is looked at, nobody uses it, and it says that there is more to come. 0 is a part that has not come yet.
export function startRefreshing(part, seconds = Number(part?.dataset.refresh)) {
  if (!part?.dataset.refresh) {
    return;
  }
  setTimeout(async () => {
    if (part.dataset.refresh !== "0" && inUse(part)) {
      return startRefreshing(part);
    }
    const loaded = await load(part);
    startRefreshing(loaded ?? part, loaded ? undefined : Math.max(afterFailure, seconds));
  }, seconds * 1000);
}

function inUse(part) {
  return document.hidden || part.contains(document.activeElement) || part.querySelector("details[open]") || !getSelection().isCollapsed;
}

// load puts the part in place as it is now, and returns it, or nothing where it could not be had.
async function load(part) {
  const address = new URL(location.href);
  address.searchParams.set("wait", "1");
  try {
    const answer = await fetch(address);
    if (answer.redirected) {
      return null;
    }
    const loaded = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    if (!loaded || (part.dataset.refresh !== "0" && inUse(part))) {
      return null;
    }
    showTimes(loaded);
    offerCopying(loaded);
    part.replaceWith(loaded);
    return loaded;
  } catch {
    return null; // the console is away; it may come back
  }
}
