const BLOCKED_MS = 600;

addEventListener("click", (event) => {
  if (!event.target.closest("button")) return;
  const until = performance.now() + BLOCKED_MS;
  while (performance.now() < until);
}, { capture: true });
