// Runs in the shop's own pages: reads the cart and, with consent, what was typed as e-mail, and tells us when it stays.
// It stands for itself: nothing of it may throw, wait, or change what the checkout does.
(function (config) {
  "use strict";
  var win = window, doc = document, nav = navigator;
  if (win.wooMauticCarts) return;
  win.wooMauticCarts = 1;

  var POLL_MS = 1000, RETRY_MS = 15000;
  var FIELDS = "#contact-fields #email,#contact #email,#billing_email";
  var OWN_BOX = "[id$='woo-mautic-cart-reminder']";
  // An address that a mail server could take; what is not one yet is never sent.
  var ADDRESS = /^[^\s@<>()",;:]+@[^\s@<>()",;:]+\.[^\s@<>()",;:.]{2,}$/;
  var memory = {}, items = null, known = "", hash = null, sent = "", waitUntil = 0, failures = 0, box = null, asked = false;
  var restoring = false, nonce;

  function kept(name, value) {
    try {
      var store = win.localStorage;
      if (value === undefined) return store.getItem("woo-mautic-" + name) || "";
      if (value) store.setItem("woo-mautic-" + name, value); else store.removeItem("woo-mautic-" + name);
    } catch (blocked) {
      if (value !== undefined) memory[name] = value;
    }
    return memory[name] || "";
  }

  function chance() {
    var bytes = new Uint8Array(18);
    (win.crypto || win.msCrypto).getRandomValues(bytes);
    return btoa(String.fromCharCode.apply(null, bytes)).replace(/\+/g, "-").replace(/\//g, "_");
  }

  function cartId() { return kept("cart") || (kept("cart", chance()), kept("cart") || memory.cart || (memory.cart = chance())); }
  function next() { var n = (+kept("n") || 0) + 1; kept("n", "" + n); return n; }
  function field() { return doc.querySelector(FIELDS); }
  function cookie(name) { return (doc.cookie.match(new RegExp("(?:^|; )" + name + "=([^;]*)")) || [])[1] || ""; }
  function select(store) { try { return win.wp.data.select(store); } catch (none) { return null; } }

  // -- what the page knows ----------------------------------------------------------------------------------------

  function lines(cart) {
    return (cart && cart.items || []).map(function (item) {
      return {
        id: item.id,
        qty: item.quantity,
        variation: (item.variation || []).map(function (one) { return [one.attribute, one.value]; })
      };
    });
  }

  function look() {
    var cart = select("wc/store/cart");
    cart = cart && cart.getCartData && cart.getCartData();
    if (cart && cart.items) { items = lines(cart); return true; }
    return false;
  }

  function root() {
    var link = doc.querySelector("link[rel='https://api.w.org/']");
    return (link ? link.href : "/wp-json/") + "wc/store/v1/";
  }

  // Reading the cart needs the shop's own cookie and nothing else.
  function read(then) {
    if (look()) return then && then();
    win.fetch(root() + "cart", { credentials: "same-origin" }).then(function (answer) {
      return answer.ok ? answer.json() : null;
    }).then(function (cart) { if (cart) items = lines(cart); then && then(); }, function () { then && then(); });
  }

  function email() {
    var input = field();
    return input ? input.value.replace(/[\u200b\u200e\u200f\u2060\ufeff\s]+/g, "") : null;
  }

  function number(value) { return value > 0 ? +value : null; }

  function draft() {
    var checkout = select("wc/store/checkout"), settings = win.wcSettings || {};
    return number(checkout && checkout.getOrderId && checkout.getOrderId() || (settings.checkoutData || {}).order_id);
  }

  // -- consent ----------------------------------------------------------------------------------------------------

  function theirs() { return doc.querySelector("input" + OWN_BOX); }

  function consent() {
    if (!config.box) return null;
    var other = theirs();
    if (other) {
      kept("yes", other.checked ? "1" : "");
      kept("text", ((other.closest("label") || other.parentNode).textContent || "").trim().slice(0, 500));
    }
    return { ticked: kept("yes") === "1", text: kept("text") || config.text };
  }

  // React and WooCommerce throw foreign nodes away now and then: the same node goes back, so the tick stays.
  function draw() {
    var input = field(), block = doc.getElementById("contact"), after;
    if (!config.box || !input || theirs()) { if (box && box.isConnected && theirs()) box.remove(); return; }
    if (!box) {
      box = doc.createElement("label");
      box.className = "woo-mautic-consent";
      box.style.cssText = "display:flex;gap:.6em;align-items:baseline;margin:.8em 0";
      var tick = doc.createElement("input"), text = doc.createElement("span");
      tick.type = "checkbox";
      tick.checked = kept("yes") === "1";
      tick.addEventListener("change", function () { kept("yes", tick.checked ? "1" : ""); stay(); });
      text.textContent = config.text;
      box.append(tick, text);
    }
    if (box.isConnected) return;
    after = input.id === "billing_email" ? input.closest("p") || input : block && block.contains(input) ? block : input.closest("fieldset") || input;
    if (after.parentNode) after.parentNode.insertBefore(box, after.nextSibling);
  }

  // -- telling ----------------------------------------------------------------------------------------------------

  function state() {
    var address = email(), agreed = consent(), told = { email: address, items: items, consent: agreed, draft: draft() };
    told.customer = number((win.wcSettings || {}).currentUserId);
    if (address !== null) told.page = win.location.pathname;
    // On a page without the field the address is what it was; an unfinished one is none.
    if (address === null && !kept("told")) return null;
    if (address && !ADDRESS.test(address)) told.email = "";
    if (!kept("told") && (!told.email || (agreed && !agreed.ticked))) return null;
    if (agreed && !agreed.ticked) { told.email = ""; told.items = null; }
    return told;
  }

  function tell(leaving) {
    var told = state(), text = told && JSON.stringify(told);
    if (restoring || !told || text === sent || (!leaving && Date.now() < waitUntil)) return;
    sent = text;
    kept("told", told.email || (told.email === null && kept("told")) ? "1" : "");
    told.cart = cartId();
    told.n = next();
    text = JSON.stringify(told);
    // A plain string is text/plain: it crosses to another origin without being asked for first.
    if (leaving && nav.sendBeacon && nav.sendBeacon(config.url, text)) return;
    win.fetch(config.url, { method: "POST", body: text, keepalive: text.length < 60000, credentials: "omit" })
      .then(function (answer) { if (answer.status >= 500 || answer.status === 429) again(); else failures = 0; }, again);
  }

  function again() { sent = ""; waitUntil = Date.now() + RETRY_MS * Math.pow(2, Math.min(failures++, 6)); }
  // Not while somebody types: a pause is no end of typing.
  function typing() { var input = field(); return input && doc.activeElement === input && doc.hasFocus(); }
  function pause() { if (!typing()) tell(); }
  // Asked again with the answer: a slow shop leaves time to begin typing.
  function stay() { if (!typing()) read(pause); }
  function leave() { look(); tell(true); }

  function poll() {
    draw();
    // Not on the page that is being left: a slow shop leaves it standing for a while.
    if (!restoring) show(kept("missing"));
    if (doc.body && doc.body.classList.contains("woocommerce-order-received")) return done();
    var now = cookie("woocommerce_cart_hash"), address = email();
    if (address !== null && !asked) { asked = true; read(); }
    if (now !== hash) { if (hash !== null || items === null) stay(); hash = now; }
    else if (address !== null && address !== known) { known = address; stay(); }
    else if (look() || !sent) pause();
  }

  // Bought: what comes next is another cart.
  function done() { ["cart", "n", "told"].forEach(function (name) { kept(name, ""); }); memory = {}; sent = ""; }

  // -- bringing a cart back ---------------------------------------------------------------------------------------

  function restore(code) {
    win.history.replaceState(null, "", win.location.pathname + win.location.search);
    restoring = true;
    win.fetch(config.url + "/restore/" + code, { credentials: "omit" }).then(function (answer) {
      if (!answer.ok) throw 0;
      return answer.json();
    }).then(function (back) {
      return win.fetch(root() + "cart", { credentials: "same-origin" }).then(function (answer) {
        nonce = answer.headers.get("Nonce");
        return answer.json();
      }).then(function (cart) {
        var steps = cart.items.map(function (item) { return ["remove-item", { key: item.key }]; });
        back.items.forEach(function (item) { steps.push(["add-item", item]); });
        steps.push(["update-customer", { billing_address: { email: back.email } }]);
        if (back.coupon) steps.push(["apply-coupon", { code: back.coupon }]);
        return batches(steps, back.notice, []);
      }).then(function (missing) {
        // The same cart goes on, also in another browser; a second one would be reminded of too.
        kept("cart", back.cart);
        kept("n", "" + Math.max(back.n, +kept("n")));
        kept("missing", missing.join("\n"));
        win.location.replace(back.checkout);
      });
    }).catch(function () { restoring = false; });
  }

  // One batch takes 25 parts.
  function batches(steps, notice, missing) {
    var now = steps.splice(0, 25);
    return win.fetch(root() + "batch", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        requests: now.map(function (step) {
          return { method: "POST", path: "/wc/store/v1/cart/" + step[0], body: step[1], headers: { Nonce: nonce } };
        })
      })
    }).then(function (answer) { return answer.json(); }).then(function (done) {
      done.responses.forEach(function (part, at) {
        if (now[at][0] === "add-item" && part.status > 299) missing.push(part.body.message || notice);
      });
      return steps.length ? batches(steps, notice, missing) : missing;
    });
  }

  // The store says in its own words which item it does not have any more.
  function show(missing) {
    if (!missing || !doc.body) return;
    var said = doc.createElement("div");
    kept("missing", "");
    said.className = "woocommerce-info woo-mautic-missing";
    said.setAttribute("role", "status");
    said.style.whiteSpace = "pre-line";
    said.textContent = new DOMParser().parseFromString(missing, "text/html").body.textContent;
    (doc.querySelector("main") || doc.body).prepend(said);
  }

  function guarded(work) { return function (event) { try { work(event); } catch (never) { /* the checkout goes on */ } }; }

  function begin() {
    var code = (win.location.hash.match(/^#woo-mautic-cart=([\w.-]+)$/) || [])[1];
    if (code) restore(code);
    doc.addEventListener("input", guarded(function (event) {
      if (event.target === field() && !asked) { asked = true; read(); }
    }), true);
    ["change", "focusout"].forEach(function (name) {
      doc.addEventListener(name, guarded(function (event) {
        if (event.target && event.target.matches && event.target.matches(FIELDS + "," + OWN_BOX)) setTimeout(guarded(stay), 0);
      }), true);
    });
    doc.addEventListener("visibilitychange", guarded(function () { if (doc.visibilityState === "hidden") leave(); }));
    win.addEventListener("pagehide", guarded(leave));
    setInterval(guarded(poll), POLL_MS);
    poll();
  }
  guarded(begin)();
})(WOO_MAUTIC_CONFIG);
