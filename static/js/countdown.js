// Counts down to a moment, in its largest fitting unit as the server writes it (integration/words.py):
// <span data-until="2026-11-20T12:00:00+00:00">in 5 minutes</span>
(() => {
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

  const span = (seconds) => {
    const [size, unit] = units.find(([size]) => seconds >= size);
    return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(Math.round(seconds / size));
  };

  const show = () => {
    for (const place of document.querySelectorAll("[data-until]")) {
      const left = Math.round((new Date(place.dataset.until) - Date.now()) / 1000);
      place.textContent = left > 0 ? `in ${span(left)}` : "due now";
    }
  };
  show();
  setInterval(show, 1000);
})();
