// <code id="value">…</code><button type="button" data-copy="value" hidden>Copy</button>
// <button type="button" data-copy-value="…" hidden>Copy</button>: also in parts that htmx brings later.
(() => {
  const SAID_MS = 2000;
  const BUTTONS = "[data-copy], [data-copy-value]";

  const show = () => {
    for (const button of document.querySelectorAll(BUTTONS)) button.hidden = false;
  };

  const textOf = (button) =>
    button.dataset.copyValue ?? document.getElementById(button.dataset.copy).textContent.trim();

  // Browsers give their clipboard to secure pages only, and a site may be served in a network of its own.
  const copyBySelection = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("The browser did not copy.");
  };

  const say = (button, word) => {
    button.textContent = word;
    setTimeout(() => (button.textContent = "Copy"), SAID_MS);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest(BUTTONS);
    if (!button) return;
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(textOf(button));
      else copyBySelection(textOf(button));
      say(button, "Copied");
    } catch {
      say(button, "Not copied");
    }
    button.focus();
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
})();
