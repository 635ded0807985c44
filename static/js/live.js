// Parts of a page that ask for themselves: again and again, once when the page is there, or at a click (ui.live).
// They rest while the tab is hidden or their pause button says so. What keeps one from being refreshed stands beside
// it, is told once to those who have the page read to them, and is tried again after growing pauses.
(() => {
  const TIMEOUT_MS = 20_000; // A part that is asked for once may have to wait for the store.
  const TIMEOUT_ONCE_MS = 120_000;
  const PAUSE_MAX_MS = 60_000;
  const PROBLEMS = {
    signed_out: "You are signed out.",
    offline: "Your device is offline.",
    unreachable: "The application does not answer.",
    failing: "The application answers with an error.",
    busy: "The application asks to wait.",
    forbidden: "Your role does not allow this any more.",
    gone: "What is shown here is no longer there.",
  };
  const said = document.getElementById("live-said");
  const states = new Map(); // id of a part's line -> how it fares, whatever becomes of the element

  const isOnce = (line) => !line.dataset.liveEvery;
  const isClicked = (line) => "liveClick" in line.dataset;

  const stateOf = (line) => {
    if (!states.has(line.id)) {
      const wait = isOnce(line) ? 0 : line.dataset.liveEvery * 1000;
      states.set(line.id, { due: Date.now() + wait, failures: 0, problem: "", busy: false, paused: false });
    }
    return states.get(line.id);
  };

  const problemOf = (response) => {
    const told = response.headers.get("Live-Status");
    if (told) return told === "ok" ? "" : told;
    // Something in front of the application has answered.
    return response.redirected || response.status === 401 ? "signed_out" : "unreachable";
  };

  const ask = async (line) => {
    if (!navigator.onLine) return "offline";
    try {
      const response = await fetch(line.dataset.live, {
        headers: { "HX-Request": "true" },
        cache: "no-store",
        signal: AbortSignal.timeout(isOnce(line) ? TIMEOUT_ONCE_MS : TIMEOUT_MS),
      });
      const problem = problemOf(response);
      if (!problem) take(line, response.headers.get("HX-Redirect"), await response.text());
      return problem;
    } catch {
      return navigator.onLine ? "unreachable" : "offline";
    }
  };

  const take = (line, onward, text) => {
    const target = document.getElementById(line.dataset.liveTarget);
    if (onward) location.assign(onward);
    else if (target) htmx.swap(target, text, { swapStyle: line.dataset.liveSwap });
  };

  const refresh = async (line) => {
    const state = stateOf(line);
    if (state.busy) return;
    state.busy = true;
    const every = (line.dataset.liveEvery || 5) * 1000;
    const problem = await ask(line);
    state.busy = false;
    state.failures = problem ? state.failures + 1 : 0;
    const pause = Math.min(every * 2 ** state.failures, PAUSE_MAX_MS);
    // An answer may tell as little as that there is nothing more to ask for.
    state.due = Date.now() + pause;
    state.problem = problem;
    if (!problem && isOnce(line)) states.delete(line.id);
    show();
  };

  const signIn = () => {
    const link = document.createElement("a");
    const here = location.pathname + location.search;
    link.href = `${said.dataset.signIn}?next=${encodeURIComponent(here)}`;
    link.textContent = "Sign in again";
    return link;
  };

  const explain = (place, problem, clicked) => {
    place.hidden = !problem;
    if (place.dataset.shown === problem) return;
    place.dataset.shown = problem;
    place.replaceChildren(PROBLEMS[problem] || "", " ");
    if (problem === "signed_out") place.append(signIn(), ".");
    else if (problem) place.append(clicked ? "Try it again." : "It goes on by itself.");
  };

  const tell = (problem) => {
    if (said.dataset.told === problem) return;
    const before = said.dataset.told || "";
    said.dataset.told = problem;
    if (problem) said.textContent = `This page is not refreshed. ${PROBLEMS[problem]}`;
    else if (before) said.textContent = "This page is refreshed again.";
  };

  const show = () => {
    let first = "";
    for (const line of document.querySelectorAll("[data-live]")) {
      const state = stateOf(line);
      first ||= state.problem;
      line.classList.toggle("live-stale", Boolean(state.problem) || state.paused);
      explain(line.querySelector("[data-live-problem]"), state.problem, isClicked(line));
      const button = line.querySelector("[data-live-pause]");
      if (button) {
        button.hidden = false;
        button.textContent = state.paused ? "Go on refreshing" : "Stop refreshing";
      }
    }
    tell(first);
  };

  const tick = (now) => {
    if (document.hidden) return;
    for (const line of document.querySelectorAll("[data-live]")) {
      const state = stateOf(line);
      if (!isClicked(line) && !state.paused && state.due <= now) refresh(line);
    }
  };

  document.addEventListener("click", (event) => {
    const line = event.target.closest("[data-live]");
    if (!line) return;
    if (event.target.closest("[data-live-pause]")) {
      const state = stateOf(line);
      state.paused = !state.paused;
      state.due = Date.now();
      show();
    } else if (isClicked(line) && event.target.closest("a.button")) {
      event.preventDefault();
      refresh(line);
    }
  });

  // Whoever comes back, or is online again, does not wait out a pause.
  const hurry = () => {
    for (const state of states.values()) state.due = 0;
    tick(Date.now());
  };
  addEventListener("online", hurry);
  addEventListener("offline", hurry);
  document.addEventListener("visibilitychange", hurry);
  setInterval(() => tick(Date.now()), 500);
  show();
})();
