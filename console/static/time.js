// Times come in UTC and are shown in the viewer's zone; UTC stays in the title.

const styles = {
  full: { dateStyle: "medium", timeStyle: "medium" },
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  hour: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { month: "short", day: "numeric", timeZone: "UTC" }, // days are counted in UTC
  date: { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" },
};

const formats = Object.fromEntries(
  Object.entries(styles).map(([name, style]) => [name, new Intl.DateTimeFormat(undefined, style)]),
);

// showTimes rewrites the times below root.
export function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    element.textContent = formats.full.format(new Date(element.dateTime));
  }
  for (const label of root.querySelectorAll("text[data-at]")) {
    label.textContent = formats[label.dataset.show].format(new Date(label.dataset.at));
  }
}
