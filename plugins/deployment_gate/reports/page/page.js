"use strict";
// Filters: the page is whole without them.
(() => {
  const checks = [...document.querySelectorAll(".check[data-outcome]")];
  if (checks.length < 2) return;
  const bar = document.getElementById("filters");
  const groups = [...document.querySelectorAll("details.passed")];
  const shown = new Map();
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "part of a name";
  search.setAttribute("aria-label", "Show only checks with this in their name");

  const apply = () => {
    const words = search.value.toLowerCase();
    for (const check of checks) {
      const isNamed = check.textContent.toLowerCase().includes(words);
      check.hidden = !(shown.get(check.dataset.outcome).checked && isNamed);
    }
    for (const group of groups) {
      const left = group.querySelectorAll(".check:not([hidden])").length;
      group.hidden = left === 0;
      if (words) group.open = left > 0;
    }
  };
  for (const outcome of new Set(checks.map((check) => check.dataset.outcome))) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", apply);
    label.append(box, ` ${outcome.replace("_", " ")}`);
    shown.set(outcome, box);
    bar.append(label);
  }
  search.addEventListener("input", apply);
  bar.append(search);
  bar.hidden = false;
})();
