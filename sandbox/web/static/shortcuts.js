// Ctrl+K, or Cmd+K, leads to the search from wherever one is.
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key !== "k") return;
  event.preventDefault();
  const form = document.getElementById("search");
  if (form) form.elements.q.focus();
  else location.assign("/search");
});
