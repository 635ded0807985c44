// A row opens what its .row-link leads to. That link covers the row by its style sheet; above it lie the cells that show
// a hint when they are pointed at, and a click on one of those is handed on. Selected text opens nothing.
(() => {
  const OWN = "a, button, input, select, textarea, label, summary";
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[title]")?.closest("tr")?.querySelector(".row-link");
    if (!link || event.target.closest(OWN) || String(getSelection())) return;
    link.dispatchEvent(new MouseEvent("click", event));
  });
})();
