/* Draws the block checkout: some time after the page, over whatever stood in its place. Fields are drawn once and kept,
   the summary, the ways of paying and the notices are drawn anew with every change of the cart. */
(() => {
  "use strict";
  const preload = JSON.parse(document.getElementById("wc-blocks-preload").textContent);
  const root = document.querySelector(".wp-block-woocommerce-checkout");
  const cart = () => wp.data.select("wc/store/cart");
  const act = wp.data.dispatch("wc/store/cart");
  const LABELS = {
    email: ["Email address", "email", "email"],
    country: ["Country/Region", "select", "country"],
    first_name: ["First name", "text", "given-name"],
    last_name: ["Last name", "text", "family-name"],
    address_1: ["Address", "text", "address-line1"],
    postcode: ["Postal code", "text", "postal-code"],
    city: ["City", "text", "address-level2"],
    state: ["Province", "text", "address-level1"],
    phone: ["Phone (optional)", "tel", "tel"],
  };
  const ADDRESS = Object.keys(LABELS).slice(1);
  let inputs = [];
  let parts = {};
  let isDrawn = false;
  let sameAddress = true;
  let needsShipping = true;

  function make(name, values = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(values)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  function money(minor) {
    const totals = cart().getCartData().totals;
    const amount = (Number(minor) / 10 ** totals.currency_minor_unit).toFixed(totals.currency_minor_unit);
    return `${totals.currency_prefix}${amount.replace(".", totals.currency_decimal_separator)}${totals.currency_suffix}`;
  }

  function plain(html) {
    return new DOMParser().parseFromString(html, "text/html").body.textContent;
  }

  function show(kind, key, value) {
    if (kind === "billingAddress") act.setBillingAddress({ [key]: value });
    else act.setShippingAddress({ [key]: value });
    if (kind === "shippingAddress" && sameAddress) act.setBillingAddress({ [key]: value });
  }

  /* A controlled input: what the store says is put back at every drawing, so a value set without events goes. */
  function field(kind, key, id) {
    const [label, type, complete] = LABELS[key];
    const control =
      type === "select"
        ? make("select", { id, autocomplete: complete }, ...preload.countries.map(([code, name]) => make("option", { value: code }, name)))
        : make("input", { id, type, autocomplete: complete, "aria-label": label });
    if (key === "email") control.name = preload.email_name;
    control.addEventListener(type === "select" ? "change" : "input", () => show(kind, key, control.value));
    const told = make("div", { class: "wc-block-components-validation-error", role: "alert", hidden: true });
    control.addEventListener("blur", () => validate(entry));
    const entry = { kind, key, control, told, label };
    inputs.push(entry);
    return make("div", { class: "wc-block-components-text-input" }, make("label", { for: id }, label), control, told);
  }

  function validate(entry) {
    const isBroken = cart().isBroken(entry.kind, entry.key);
    const text = entry.key === "email" ? "Please enter a valid email address" : `Please enter a valid ${entry.label.toLowerCase()}`;
    entry.told.hidden = !isBroken;
    entry.told.textContent = isBroken ? text : "";
    entry.control.toggleAttribute("aria-invalid", isBroken);
    return !isBroken;
  }

  function step(id, title, ...children) {
    const content = make("div", { class: "wc-block-components-checkout-step__content" }, ...children);
    return make(
      "fieldset",
      { class: "wc-block-components-checkout-step", id },
      make("legend", { class: "screen-reader-text" }, title),
      make("h2", { class: "wc-block-components-checkout-step__title" }, title),
      make("div", { class: "wc-block-components-checkout-step__container" }, content)
    );
  }

  function form(kind, id) {
    const fields = ADDRESS.map((key) => field(kind, key, `${id}-${key}`));
    return make("div", { id, class: "wc-block-components-address-form" }, ...fields);
  }

  function reminder() {
    const store = wp.data.dispatch("wc/store/checkout");
    const ticked = wp.data.select("wc/store/checkout").getAdditionalFields()[preload.reminder.id] === true;
    const box = make("input", { id: "contact-woo-mautic-cart-reminder", type: "checkbox" });
    box.checked = ticked;
    box.addEventListener("change", () => store.setAdditionalFields({ [preload.reminder.id]: box.checked }));
    return make("div", { class: "wc-block-components-checkbox" }, make("label", {}, box, ` ${preload.reminder.label}`));
  }

  function contact() {
    const inner = make("div", { id: "contact", class: "wc-block-components-address-form" });
    inner.append(field("billingAddress", "email", "email"));
    if (preload.reminder) inner.append(reminder());
    return step("contact-fields", "Contact information", inner);
  }

  function places() {
    if (!needsShipping) return step("billing-fields", "Billing address", form("billingAddress", "billing"));
    const shipping = form("shippingAddress", "shipping");
    const box = make("input", { type: "checkbox", id: "checkbox-control-same" });
    const own = form("billingAddress", "billing");
    box.checked = own.hidden = sameAddress;
    box.addEventListener("change", () => {
      sameAddress = own.hidden = box.checked;
      if (sameAddress) act.setBillingAddress({ ...cart().getCustomerData().shippingAddress });
    });
    return step("shipping-fields", "Shipping address", shipping, make("label", {}, box, " Use same address for billing"), own);
  }

  function payment() {
    const chosen = wp.data.select("wc/store/payment").getActivePaymentMethod();
    const options = preload.gateways.map(([name, title]) => {
      const radio = make("input", { type: "radio", name: "radio-control-wc-payment-method-options", value: name });
      radio.checked = name === chosen;
      radio.addEventListener("change", () => wp.data.dispatch("wc/store/payment").setActivePaymentMethod(name));
      return make("label", { class: "wc-block-components-radio-control__option" }, radio, ` ${title}`);
    });
    return options;
  }

  function note() {
    const text = make("textarea", { class: "wc-block-components-textarea", rows: "2", "aria-label": "Note about your order" });
    text.addEventListener("change", () => wp.data.dispatch("wc/store/checkout").setOrderNotes(text.value));
    return step("order-notes", "Add a note to your order", text);
  }

  function coupon() {
    const code = make("input", { id: "wc-block-components-totals-coupon__input-coupon", "aria-label": "Enter code" });
    const told = make("p", { class: "wc-block-components-validation-error", role: "alert" });
    const apply = async () => {
      told.textContent = "";
      await act.applyCoupon(code.value).then(() => (code.value = ""), (refused) => (told.textContent = plain(refused.message)));
    };
    const button = make("button", { type: "button", class: "wc-block-components-totals-coupon__button", onclick: apply }, "Apply");
    return make("div", { class: "wc-block-components-totals-coupon" }, make("label", { for: code.id }, "Coupon code"), code, button, told);
  }

  function row(name, amount, kind = "") {
    const value = make("span", { class: "wc-block-components-totals-item__value" }, amount);
    return make("div", { class: `wc-block-components-totals-item ${kind}` }, make("span", {}, name), value);
  }

  function line(item) {
    const choices = (item.variation || []).map((each) => `${each.attribute}: ${each.value}`).join(", ");
    const name = `${plain(item.name)}${choices ? ` (${choices})` : ""} × ${item.quantity}`;
    return row(name, money(item.totals.line_subtotal), "wc-block-components-order-summary-item");
  }

  function summary() {
    const { items, coupons, totals, needsShipping } = cart().getCartData();
    const gone = (code) => () => act.removeCoupon(code);
    const chips = coupons.map((each) =>
      make("button", { type: "button", class: "wc-block-components-totals-discount__coupon", onclick: gone(each.code) }, `${each.code} ✕`)
    );
    return [
      ...items.map(line),
      row("Subtotal", money(totals.total_items)),
      ...(coupons.length ? [row("Discount", `-${money(totals.total_discount)}`)] : []),
      ...chips,
      ...(needsShipping ? [row("Shipping", money(totals.total_shipping || 0))] : []),
      row("Taxes", money(totals.total_tax)),
      row("Total", money(totals.total_price), "wc-block-components-totals-footer-item"),
    ];
  }

  function notice(text) {
    return make("div", { class: "wc-block-components-notice-banner is-error", role: "alert" }, plain(text));
  }

  /* Draws everything anew: whatever others put inside is gone. */
  function mount() {
    inputs = [];
    needsShipping = cart().getCartData().needsShipping;
    parts = {
      notices: make("div", { class: "wc-block-components-notices" }),
      payment: make("div", { class: "wc-block-components-radio-control" }),
      summary: make("div", { class: "wc-block-components-order-summary" }),
    };
    const button = { type: "button", class: "wc-block-components-checkout-place-order-button button alt", onclick: place };
    const main = make("form", { class: "wc-block-components-form wc-block-checkout__form", novalidate: true });
    main.append(contact(), places(), step("payment-method", "Payment options", parts.payment), note(), make("button", button, "Place Order"));
    main.addEventListener("submit", (event) => event.preventDefault());
    const side = make("div", { class: "wc-block-checkout__sidebar" }, make("h2", {}, "Order summary"), coupon(), parts.summary);
    root.replaceChildren(parts.notices, make("div", { class: "wc-block-components-sidebar-layout" }, main, side));
    root.classList.remove("is-loading");
    isDrawn = true;
    draw();
  }

  function empty() {
    isDrawn = false;
    const link = make("a", { href: wcSettings.storePages.shop.permalink, class: "button" }, "Browse store");
    const text = make("p", { class: "wc-block-checkout-empty__title" }, "Your cart is currently empty!");
    root.replaceChildren(make("div", { class: "wc-block-checkout-empty" }, text, link));
  }

  function draw() {
    if (!cart().getCartData().items.length) return empty();
    if (!isDrawn || needsShipping !== cart().getCartData().needsShipping) return mount();
    const told = cart().getCustomerData();
    for (const { kind, key, control } of inputs) {
      if (control.value !== told[kind][key]) control.value = told[kind][key];
    }
    parts.payment.replaceChildren(...payment());
    parts.summary.replaceChildren(...summary());
    parts.notices.replaceChildren(...cart().getCartErrors().map((each) => notice(each.message)));
  }

  async function place() {
    const seen = inputs.filter(({ control }) => control.getClientRects().length);
    const wrong = seen.filter((entry) => !validate(entry));
    if (wrong.length) return wrong[0].control.focus();
    try {
      const order = await wp.data.dispatch("wc/store/checkout").placeOrder();
      window.location.href = order.payment_result.redirect_url;
    } catch (refused) {
      parts.notices.replaceChildren(notice(refused.message || "The shop did not answer. Please try again."));
      parts.notices.scrollIntoView();
    }
  }

  function start() {
    root.replaceChildren(make("div", { class: "wc-block-checkout__skeleton", "aria-busy": "true" }, "Loading…"));
    setTimeout(() => {
      draw();
      wp.data.subscribe(draw);
      /* For tests of other people's scripts: what a plugin does that makes React begin again. */
      document.addEventListener("sandbox:remount", mount);
    }, preload.fields_after * 1000);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
