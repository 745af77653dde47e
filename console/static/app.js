// What every page loads. Each module looks for what it serves and does nothing where there is none of it; without any
// of them pages can be read, and forms sent.
import { startChoosing } from "./choose.js";
import { offerCopying } from "./copy.js";
import { startEditing } from "./editor.js";
import { offerDryRuns } from "./dryrun.js";
import { startLive } from "./live.js";
import { offerPicking } from "./pick.js";
import { startRefreshing } from "./refresh.js";
import { offerSuggestions } from "./suggest.js";
import { showTimes } from "./time.js";

showTimes(document);
offerCopying(document);
offerSuggestions(document);
offerPicking(document);
startChoosing();
startEditing(document.querySelector(".editor form"));
offerDryRuns(document);
startLive(document.getElementById("live"));
startRefreshing(document.querySelector("[data-refresh]:not(#beside)")); // the editor asks for its own, as the form stands by then
