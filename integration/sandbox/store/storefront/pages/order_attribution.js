/* Where a visit came from, kept in a cookie for half an hour and sent with the order, as WooCommerce's own script does. */
(() => {
  "use strict";
  const COOKIE = "sbjs_current";
  const NAMES = ["campaign", "source", "medium", "content", "id", "term", "source_platform", "creative_format", "marketing_tactic"];
  const NONE = "(none)";

  function held() {
    const found = document.cookie.split("; ").find((each) => each.startsWith(`${COOKIE}=`));
    if (!found) return null;
    try {
      return JSON.parse(decodeURIComponent(found.slice(COOKIE.length + 1)));
    } catch {
      return null;
    }
  }

  function arrived() {
    const query = new URLSearchParams(window.location.search);
    const utm = Object.fromEntries(NAMES.map((name) => [`utm_${name}`, query.get(`utm_${name}`) || NONE]));
    const type = NAMES.some((name) => query.has(`utm_${name}`)) ? "utm" : "typein";
    return {
      source_type: type,
      referrer: document.referrer || NONE,
      ...utm,
      utm_source: type === "utm" ? utm.utm_source : "(direct)",
      session_entry: window.location.href,
      session_start_time: new Date().toISOString().slice(0, 19).replace("T", " "),
      session_pages: "0",
      session_count: "1",
      user_agent: navigator.userAgent,
    };
  }

  const hasUtm = new URLSearchParams(window.location.search).has("utm_source");
  const visit = (!hasUtm && held()) || arrived();
  visit.session_pages = String(Number(visit.session_pages) + 1);
  document.cookie = `${COOKIE}=${encodeURIComponent(JSON.stringify(visit))}; path=/; max-age=1800; SameSite=Lax`;
  window.wc_order_attribution = { getAttributionData: () => ({ ...visit }) };

  for (const place of document.querySelectorAll("wc-order-attribution-inputs")) {
    for (const [name, value] of Object.entries(visit)) {
      const input = Object.assign(document.createElement("input"), { type: "hidden", name: `wc_order_attribution_${name}`, value });
      place.append(input);
    }
  }
})();
