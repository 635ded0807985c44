// Refreshing parts rest while the tab is hidden, or while their pause button says so.
// <div id="lines" hx-get="…" hx-trigger="every 5s">  <button type="button" data-pause="lines" hidden>
(() => {
  const paused = new Set();

  const repeats = (element) => (element.getAttribute("hx-trigger") || "").includes("every ");

  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (repeats(element) && (document.hidden || paused.has(element.id))) event.preventDefault();
  });

  const show = (button) => {
    const off = paused.has(button.dataset.pause);
    button.textContent = off ? "Auto-refresh is off" : "Auto-refresh is on";
    button.setAttribute("aria-pressed", String(!off));
  };

  const prepare = () => {
    for (const button of document.querySelectorAll("[data-pause]")) {
      button.hidden = false;
      show(button);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pause]");
    if (!button) return;
    const name = button.dataset.pause;
    if (!paused.delete(name)) paused.add(name);
    show(button);
  });

  document.addEventListener("htmx:afterSwap", prepare);
  prepare();
})();
