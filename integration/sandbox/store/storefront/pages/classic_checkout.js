/* The classic checkout: asks the shop for the review when an address changes and places the order. */
(() => {
  "use strict";
  const AFTER_KEY = 1000;
  const params = window.wc_checkout_params;
  const $ = window.jQuery;
  const body = $(document.body);
  const form = document.querySelector("form.checkout");
  if (!form) return;
  form.noValidate = true;
  let timer = 0;
  let fragments = {};
  let asked = 0;

  const address = (endpoint) => params.wc_ajax_url.replace("%%endpoint%%", endpoint);
  const value = (name) => (form.elements[name] ? form.elements[name].value : "");

  async function send(where, fields) {
    const answer = await fetch(where, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "X-Requested-With": "XMLHttpRequest" },
      body: new URLSearchParams(fields),
      credentials: "same-origin",
    });
    return answer.text();
  }

  function serialised() {
    return new URLSearchParams([...new FormData(form)].filter(([, each]) => typeof each === "string"));
  }

  function place(prefix) {
    const wanted = { country: "country", state: "state", postcode: "postcode", city: "city", address: "address_1", address_2: "address_2" };
    return Object.entries(wanted).map(([name, field]) => [prefix + name, value(`billing_${field}`)]);
  }

  function asking() {
    const fields = new URLSearchParams([["security", params.update_order_review_nonce], ["payment_method", value("payment_method")]]);
    [...place(""), ...place("s_")].forEach(([name, each]) => fields.append(name, each));
    const isFull = ["country", "postcode", "city", "address_1"].every((name) => value(`billing_${name}`));
    fields.append("has_full_address", String(isFull));
    fields.append("post_data", serialised().toString());
    const rate = form.querySelector('[name="shipping_method[0]"]:checked, [name="shipping_method[0]"][type="hidden"]');
    if (rate) fields.append("shipping_method[0]", rate.value);
    return fields;
  }

  /* Only a fragment that changed is put in place of what stands there, and with it everything others put inside. */
  function show(told) {
    for (const [selector, html] of Object.entries(told || {})) {
      if (fragments[selector] === html) continue;
      document.querySelectorAll(selector).forEach((node) => (node.outerHTML = html));
    }
    fragments = told || {};
  }

  async function review() {
    const mine = ++asked;
    let data;
    try {
      data = JSON.parse(await send(address("update_order_review"), asking()));
    } catch {
      return;
    }
    if (mine !== asked) return;
    if (data.reload) return void window.location.reload();
    const chosen = value("payment_method");
    show(data.fragments);
    const radio = form.querySelector(`[name="payment_method"][value="${chosen}"]`);
    if (radio) radio.checked = true;
    if (data.messages) tell(data.messages);
    body.trigger("updated_checkout", [data]);
  }

  function tell(html) {
    document.querySelectorAll(".woocommerce-NoticeGroup-checkout").forEach((node) => node.remove());
    const group = document.createElement("div");
    group.className = "woocommerce-NoticeGroup woocommerce-NoticeGroup-checkout";
    group.innerHTML = html;
    form.prepend(group);
    group.scrollIntoView();
  }

  async function order() {
    let data;
    try {
      data = JSON.parse(await send(params.checkout_url, serialised()));
    } catch {
      data = { result: "failure", messages: params.i18n_checkout_error };
    }
    if (data.result === "success") return void (window.location = data.redirect);
    if (data.reload) return void window.location.reload();
    tell(data.messages);
    body.trigger("checkout_error", [data.messages]);
    if (data.refresh) body.trigger("update_checkout");
  }

  async function coupon(code) {
    const fields = { security: params.apply_coupon_nonce, coupon_code: code.value, billing_email: value("billing_email") };
    const html = await send(address("apply_coupon"), fields);
    document.querySelector(".woocommerce-form-coupon-notices").innerHTML = html;
    body.trigger("applied_coupon_in_checkout", [code.value]);
    body.trigger("update_checkout", [{ update_shipping_method: false }]);
  }

  body.on("update_checkout", () => {
    clearTimeout(timer);
    timer = setTimeout(review, 5);
  });
  form.addEventListener("keydown", (event) => {
    if (!event.target.closest(".address-field")) return;
    clearTimeout(timer);
    timer = setTimeout(() => body.trigger("update_checkout"), AFTER_KEY);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, [name='shipping_method[0]']")) body.trigger("update_checkout");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    order();
  });
  const code = document.querySelector("form.checkout_coupon");
  code.addEventListener("submit", (event) => {
    event.preventDefault();
    coupon(code.elements.coupon_code);
  });
  $(() => {
    body.trigger("init_checkout");
    body.trigger("update_checkout");
  });
})();
