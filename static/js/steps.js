// A test shows each step as soon as the server has it. The answer is one line of HTML a step.
// <button data-steps="results" formaction="…">: sends its form, fills the element with that id.
(() => {
  const lines = async function* (response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      yield* parts;
    }
    if (rest) yield rest;
  };

  const place = (box, line) => {
    const holder = document.createElement("template");
    holder.innerHTML = line;
    for (const item of holder.content.querySelectorAll("[data-into]")) {
      const target = box.querySelector(`#${item.dataset.into}`);
      if (target.querySelector(".waiting")) target.replaceChildren(item);
      else target.append(item);
    }
  };

  const run = async (button, box) => {
    const form = button.form;
    const headers = { "X-Live": "1" };
    const body = new FormData(form, button);
    const response = await fetch(button.formAction, { method: "POST", headers, body, credentials: "same-origin" });
    if (!response.ok) throw new Error(String(response.status));
    box.hidden = false;
    let first = true;
    for await (const line of lines(response)) {
      if (first) box.innerHTML = line;
      else place(box, line);
      if (first) box.scrollIntoView({ block: "nearest" });
      first = false;
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-steps]");
    if (!button || !window.TextDecoderStream) return;
    event.preventDefault();
    const box = document.getElementById(button.dataset.steps);
    button.disabled = true;
    try {
      await run(button, box);
    } catch {
      // Without a live answer the page with all results does as well.
      button.disabled = false;
      button.removeAttribute("data-steps");
      button.click();
      return;
    }
    button.disabled = false;
  });
})();
