// Counts down to a moment: <span data-until="2026-11-20T12:00:00+00:00">in 5 minutes</span>
(() => {
  const show = () => {
    for (const place of document.querySelectorAll("[data-until]")) {
      const left = Math.round((new Date(place.dataset.until) - Date.now()) / 1000);
      place.textContent = left > 0 ? `in ${left.toLocaleString()} seconds` : "due now";
    }
  };
  show();
  setInterval(show, 1000);
})();
