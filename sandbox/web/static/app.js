// Every page loads this: who is signed in, and which page's script to run.
import { isSignedIn, signOut } from "/static/api.js";

const page = document.body.dataset.page;
const open = new Set(["login", "missing"]);

document.getElementById("sign-out").addEventListener("click", signOut);

if (!isSignedIn() && !open.has(page)) {
  const wanted = encodeURIComponent(location.pathname + location.search);
  location.replace(`/login?next=${wanted}`);
} else {
  document.getElementById("navigation").hidden = !isSignedIn();
  for (const link of document.querySelectorAll("#navigation a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
  if (page !== "missing") await import(`/static/${page}.js`);
}
