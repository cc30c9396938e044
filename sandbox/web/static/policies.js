import { enablePages, show } from "/static/listing.js";

const filters = document.getElementById("filters");
const shown = new URLSearchParams(location.search);

function fill() {
  for (const field of filters.elements) field.value = shown.get(field.name) ?? "";
}

function update() {
  history.pushState(null, "", `?${shown}`);
  return show("/api/v1/policies", shown);
}

filters.addEventListener("change", (event) => {
  shown.set(event.target.name, event.target.value);
  shown.delete("page");
  update();
});
filters.addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", () => location.reload());
enablePages(shown, update);
fill();
await show("/api/v1/policies", shown);
