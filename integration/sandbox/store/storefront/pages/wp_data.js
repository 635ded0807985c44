/* The data stores of the block checkout as scripts know them: wp.data with wc/store/cart and wc/store/checkout.
   They speak to the Store API and tell whoever subscribed; the pages of the block are drawn by block_checkout.js. */
(() => {
  "use strict";
  const PUSH_AFTER = 1500;
  const REQUIRED = ["first_name", "last_name", "address_1", "city", "postcode", "country"];
  const root = document.querySelector('link[rel="https://api.w.org/"]').href;
  const preload = JSON.parse(document.getElementById("wc-blocks-preload").textContent);
  const listeners = new Set();
  const checkout = {
    order: preload.checkout,
    payment: preload.checkout.payment_method || preload.cart.payment_methods[0] || "",
    note: preload.checkout.customer_note,
    fields: preload.checkout.additional_fields || {},
  };
  let nonce = window.wcBlocksMiddlewareConfig.storeApiNonce;
  let cart = camel(preload.cart);
  let pushed = addresses();
  let timer = 0;

  function camel(answer) {
    const name = (key) => key.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    return Object.fromEntries(Object.entries(answer).map(([key, value]) => [name(key), value]));
  }

  function addresses() {
    return { billingAddress: { ...cart.billingAddress }, shippingAddress: { ...cart.shippingAddress } };
  }

  function changed() {
    [...listeners].forEach((listener) => listener());
  }

  async function ask(method, path, body, query = {}) {
    const headers = { Accept: "application/json, */*;q=0.1", Nonce: nonce };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "PUT") headers["X-HTTP-Method-Override"] = "PUT";
    const address = new URL(root);
    const route = `wc/store/v1/${path}`;
    if (address.searchParams.has("rest_route")) address.searchParams.set("rest_route", `/${route}`);
    else address.pathname += route;
    Object.entries({ ...query, _locale: "site" }).forEach(([name, value]) => address.searchParams.set(name, value));
    const answer = await fetch(address, {
      method: method === "PUT" ? "POST" : method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
    nonce = answer.headers.get("Nonce") || nonce;
    const read = await answer.json().catch(() => ({ message: `The shop answered with status ${answer.status}.` }));
    if (!answer.ok) throw read;
    return read;
  }

  /* What was typed stays: an answer may be older than the last key. */
  function receive(answer) {
    cart = { ...camel(answer), ...addresses() };
    changed();
    return answer;
  }

  async function change(path, body) {
    try {
      return receive(await ask("POST", `cart/${path}`, body));
    } catch (refused) {
      if (refused && refused.data && refused.data.cart) receive(refused.data.cart);
      throw refused;
    }
  }

  function dirty(kind) {
    return Object.keys(cart[kind]).filter((key) => cart[kind][key] !== pushed[kind][key]);
  }

  function isEmail(text) {
    return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text);
  }

  function isBroken(kind, key) {
    const text = cart[kind][key];
    return key === "email" ? !isEmail(text) : REQUIRED.includes(key) && !text;
  }

  /* Nothing at all is sent while a field that was changed is invalid, so the shop keeps the former e-mail. */
  async function push() {
    const kinds = ["billingAddress", "shippingAddress"];
    const touched = kinds.flatMap((kind) => dirty(kind).map((key) => [kind, key]));
    if (!touched.length || touched.some(([kind, key]) => isBroken(kind, key))) return;
    const sent = addresses();
    const part = {
      path: "/wc/store/v1/cart/update-customer",
      method: "POST",
      cache: "no-store",
      body: { billing_address: sent.billingAddress, shipping_address: sent.shippingAddress },
      headers: { Nonce: nonce },
    };
    const answer = await ask("POST", "batch", { requests: [part] });
    const [told] = answer.responses;
    if (told.status >= 300) return;
    pushed = sent;
    receive(told.body);
  }

  function type(kind, values) {
    cart = { ...cart, [kind]: { ...cart[kind], ...values } };
    clearTimeout(timer);
    timer = setTimeout(() => push().catch(() => {}), PUSH_AFTER);
    changed();
  }

  async function put(values) {
    const query = { __experimental_calc_totals: "true" };
    const answer = await ask("PUT", "checkout", values, query);
    checkout.order = answer;
    if (answer.__experimentalCart) receive(answer.__experimentalCart);
    return answer;
  }

  function attribution() {
    const told = window.wc_order_attribution ? window.wc_order_attribution.getAttributionData() : {};
    return { "woocommerce/order-attribution": told };
  }

  async function place() {
    clearTimeout(timer);
    const body = {
      additional_fields: checkout.fields,
      billing_address: cart.billingAddress,
      create_account: false,
      customer_note: checkout.note,
      customer_password: "",
      extensions: attribution(),
      shipping_address: cart.shippingAddress,
      payment_method: checkout.payment,
      payment_data: [],
    };
    try {
      checkout.order = await ask("POST", "checkout", body);
      return checkout.order;
    } catch (refused) {
      if (refused && refused.data && refused.data.cart) receive(refused.data.cart);
      throw refused;
    }
  }

  const stores = {
    "wc/store/cart": {
      select: {
        getCartData: () => ({ ...cart, ...addresses() }),
        getCustomerData: () => addresses(),
        getCartTotals: () => cart.totals,
        getCartErrors: () => cart.errors,
        isBroken,
      },
      dispatch: {
        applyCoupon: (code) => change("apply-coupon", { code }).then(() => true),
        removeCoupon: (code) => change("remove-coupon", { code }).then(() => true),
        addItemToCart: (id, quantity = 1, variation = []) => change("add-item", { id, quantity, variation }),
        removeItemFromCart: (key) => change("remove-item", { key }),
        changeCartItemQuantity: (key, quantity) => change("update-item", { key, quantity }),
        selectShippingRate: (id) => change("select-shipping-rate", { package_id: 0, rate_id: id }),
        setBillingAddress: (values) => type("billingAddress", values),
        setShippingAddress: (values) => type("shippingAddress", values),
        invalidateResolutionForStore: () => ask("GET", "cart").then(receive),
      },
    },
    "wc/store/checkout": {
      select: {
        getOrderId: () => checkout.order.order_id,
        getCustomerId: () => checkout.order.customer_id,
        getOrderNotes: () => checkout.note,
        getAdditionalFields: () => ({ ...checkout.fields }),
      },
      dispatch: {
        setAdditionalFields: (values) => {
          checkout.fields = { ...checkout.fields, ...values };
          return put({ additional_fields: checkout.fields });
        },
        setOrderNotes: (text) => {
          checkout.note = text;
          return put({ order_notes: text });
        },
        placeOrder: place,
      },
    },
    "wc/store/payment": {
      select: { getActivePaymentMethod: () => checkout.payment },
      dispatch: {
        setActivePaymentMethod: (name) => {
          checkout.payment = name;
          changed();
          return put({ payment_method: name });
        },
      },
    },
  };

  function part(side) {
    return (name) => (stores[name.name || name] || {})[side];
  }

  function subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  window.wp = { ...window.wp, data: { select: part("select"), dispatch: part("dispatch"), subscribe } };
})();
