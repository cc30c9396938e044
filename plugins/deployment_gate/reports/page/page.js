"use strict";
// Filters: the page is whole without them.
(() => {
  const checks = [...document.querySelectorAll(".check[data-outcome]")];
  if (checks.length < 2) return;
  const bar = document.getElementById("filters");
  const nothing = document.getElementById("none-shown");
  const groups = [...document.querySelectorAll("details.group")];
  const boxes = new Map();
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "part of a name";
  search.setAttribute("aria-label", "Show only checks with this in their name");
  let names = null;

  // A check is known by its name and id; its log is long, and Ctrl-F looks there.
  const nameOf = (check) => {
    const parts = check.matches("p") ? [check] : check.querySelectorAll("h3, summary, .where");
    return [...parts].slice(0, 2).map((part) => part.textContent).join(" ").toLowerCase();
  };
  const apply = () => {
    const words = search.value.trim().toLowerCase();
    if (words && !names) names = new Map(checks.map((check) => [check, nameOf(check)]));
    let left = 0;
    for (const check of checks) {
      const isNamed = !words || names.get(check).includes(words);
      check.hidden = !(boxes.get(check.dataset.outcome).checked && isNamed);
      if (!check.hidden) left += 1;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector(".check:not([hidden])");
      if (words) group.open = !group.hidden;
    }
    nothing.hidden = left > 0;
  };
  for (const outcome of new Set(checks.map((check) => check.dataset.outcome))) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", apply);
    label.append(box, ` ${outcome.replaceAll("_", " ")}`);
    boxes.set(outcome, box);
    bar.append(label);
  }
  search.addEventListener("input", apply);
  bar.append(search);
  bar.hidden = false;
})();
