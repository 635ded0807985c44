// Filters show what the list below them was filtered by, also when somebody comes back to a page with Back.
addEventListener("pageshow", (event) => {
  const [navigation] = performance.getEntriesByType("navigation");
  if (!event.persisted && navigation?.type !== "back_forward") return;
  for (const form of document.querySelectorAll("form.filters, form.log-filters")) form.reset();
});
