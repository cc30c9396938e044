import { enablePages, show } from "/static/listing.js";

const form = document.getElementById("search");
const shown = new URLSearchParams(location.search);

function update() {
  history.pushState(null, "", `?${shown}`);
  return show("/api/v1/search", shown);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  shown.set("q", form.elements.q.value);
  shown.delete("page");
  update();
});
addEventListener("popstate", () => location.reload());
enablePages(shown, update);
if (shown.get("q")) {
  form.elements.q.value = shown.get("q");
  await show("/api/v1/search", shown);
} else {
  form.elements.q.focus();
}
