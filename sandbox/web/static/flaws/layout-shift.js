// A notice pushes the content down and is gone again before it could be read.
const LATE_MS = 300;
const SHOWN_MS = 150;
const notice = document.createElement("div");
notice.style.cssText = "flex: none; height: 75vh";
// Browsers count the shift of what is painted: even a page with few words has its whole sheet moved.
document.getElementById("main").style.background = "var(--ground)";

setTimeout(() => {
  document.querySelector("header").after(notice);
  requestAnimationFrame(() => setTimeout(() => notice.remove(), SHOWN_MS));
}, LATE_MS);
