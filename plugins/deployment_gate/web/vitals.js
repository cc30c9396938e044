// Stands in one function with web-vitals, before any script of the page, in the top frame only.
if (window === window.top) {
  // Where set, web-vitals sees nothing of what began earlier: one interaction of many.
  let since = 0;
  const Original = window.PerformanceObserver;
  var PerformanceObserver = class extends Original {
    constructor(callback) {
      const from = since;
      super((list) => {
        callback({ getEntries: () => list.getEntries().filter((entry) => entry.startTime >= from) });
      });
    }
  };

  const seen = { ttfb: null, fcp: null, lcp: null, cls: 0, moved: 0, filled: 0 };
  const all = { reportAllChanges: true };
  webVitals.onTTFB(({ value }) => { seen.ttfb = value; }, all);
  webVitals.onFCP(({ value }) => { seen.fcp = value; }, all);
  webVitals.onLCP(({ value }) => { seen.lcp = value; seen.moved = performance.now(); }, all);
  webVitals.onCLS(({ value }) => { seen.cls = value; }, all);

  // web-vitals reports only what makes its value grow; a page at rest has no shift at all.
  new Original(() => { seen.moved = performance.now(); }).observe({ type: "layout-shift", buffered: true });

  // When the document last changed, or something for it arrived.
  new MutationObserver(() => { seen.filled = performance.now(); })
    .observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
  new Original((list) => {
    for (const { responseEnd } of list.getEntries()) seen.filled = Math.max(seen.filled, responseEnd);
  }).observe({ type: "resource", buffered: true });

  const frame = () => new Promise(requestAnimationFrame);
  const rest = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  const idle = () => new Promise((resolve) => { requestIdleCallback(resolve, { timeout: 1000 }); });
  let expected = null;

  Object.defineProperty(window, "__deploymentGateVitals", {
    value: {
      seen() {
        const { loadEventEnd } = performance.getEntriesByType("navigation")[0] ?? { loadEventEnd: 0 };
        return { ...seen, loadEventEnd, now: performance.now(), timeOrigin: performance.timeOrigin };
      },

      expectInteraction() {
        const own = { before: performance.interactionCount, longest: null };
        since = performance.now();
        webVitals.onINP(({ value }) => { own.longest = value; }, { ...all, durationThreshold: 16 });
        since = 0;
        expected = own;
      },

      // An interaction is measured with the frame after it, and web-vitals waits for an idle moment.
      async interaction() {
        if (!expected) return { number: 0, longest: null };
        await frame();
        await frame();
        await rest(200);
        await idle();
        await rest(0);
        const { before, longest } = expected;
        return { number: performance.interactionCount - before, longest };
      },
    },
  });
}
