// Draws the subscribe form into a shop's own page, in the page's own look: nothing but its arrangement is set here.
(function (config) {
  "use strict";
  var win = window, doc = document, self = doc.currentScript;
  if (win.wooMauticSubscribe) return;
  win.wooMauticSubscribe = 1;

  var LINKS = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/;
  var MARK = "data-woo-mautic-subscribe";

  function made(name, values, children) {
    var node = doc.createElement(name);
    Object.keys(values || {}).forEach(function (key) { node[key] = values[key]; });
    (children || []).forEach(function (child) { node.append(child); });
    return node;
  }

  // The wording is text: only what is an address in it becomes a link.
  function linked(text) {
    return text.split(LINKS).map(function (part, place) {
      return place % 2 ? made("a", { href: part, target: "_blank", rel: "noopener", textContent: part }) : part;
    });
  }

  function draw(place) {
    var inputs = {}, errors = {}, stamp = null, drawnAt = 0, asking = null, busy = false;
    var wording = made("span", {}, linked(config.text)), shown = config.text;
    var said = made("p", { className: "woo-mautic-error" }), button = made("button", { type: "submit", textContent: config.button });

    function wrong() {
      var node = made("span", { className: "woo-mautic-error" });
      node.style.cssText = "display:block;font-weight:600";
      return node;
    }

    function field(name, label, type, complete, most) {
      var input = inputs[name] = made("input", { type: type, name: name, autocomplete: complete, maxLength: most });
      input.style.cssText = "display:block;width:100%;box-sizing:border-box";
      errors[name] = wrong();
      return made("p", {}, [made("label", {}, [label, input]), errors[name]]);
    }

    function consent() {
      var input = inputs.consent = made("input", { type: "checkbox", name: "consent" });
      var label = made("label", {}, [input, wording]);
      label.style.cssText = "display:flex;gap:.6em;align-items:baseline";
      errors.consent = wrong();
      return made("p", {}, [label, errors.consent]);
    }

    // Programs fill in every input; people and their screen readers do not meet this one.
    function trap() {
      var input = inputs.website = made("input", { type: "text", name: "website", tabIndex: -1, autocomplete: "off" });
      var around = made("p", {}, [input]);
      around.setAttribute("aria-hidden", "true");
      around.style.cssText = "position:absolute;left:-100vw;width:1px;height:1px;overflow:hidden";
      return around;
    }

    // The stamp comes when somebody turns to the form, so that a page which is only looked at asks for nothing.
    function ask() {
      if (!asking) asking = win.fetch(config.url + "/stamp", { credentials: "omit" }).then(function (answer) {
        if (!answer.ok) throw 0;
        return answer.json();
      }).then(function (told) {
        stamp = told.stamp;
        drawnAt = Date.now();
        if (told.text !== shown) { shown = told.text; inputs.consent.checked = false; wording.replaceChildren.apply(wording, linked(shown)); }
      }).catch(function (error) { asking = null; throw error; });
      return asking;
    }

    function clear(told) {
      said.textContent = "";
      Object.keys(errors).forEach(function (name) {
        errors[name].textContent = told && told[name] || "";
        if (told && told[name]) inputs[name].setAttribute("aria-invalid", "true"); else inputs[name].removeAttribute("aria-invalid");
      });
      var first = told && Object.keys(errors).filter(function (name) { return told[name]; })[0];
      if (first) inputs[first].focus();
    }

    function post() {
      var body = { stamp: stamp, page: win.location.origin + win.location.pathname, consent: inputs.consent.checked };
      ["email", "first_name", "last_name", "website"].forEach(function (name) { if (inputs[name]) body[name] = inputs[name].value; });
      // A plain string is text/plain: it crosses to another origin without being asked for first.
      return win.fetch(config.url + "/send", { method: "POST", body: JSON.stringify(body), credentials: "omit" });
    }

    function done(told) {
      if (told.go) { win.location.href = told.go; return; }
      var thanks = made("p", { tabIndex: -1, textContent: told.say });
      thanks.setAttribute("role", "status");
      place.replaceChildren(thanks);
      thanks.focus();
    }

    // Who is faster than a reader is taken for a program, so that the rest of the time is waited for here.
    function send(again) {
      return ask().then(function () {
        return new Promise(function (go) { setTimeout(go, Math.max(0, drawnAt + config.wait - Date.now())); });
      }).then(post).then(function (answer) {
        if (answer.status === 409 && again) { asking = null; return send(false); }
        return answer.json().then(function (told) {
          if (answer.ok) return done(told);
          if (answer.status === 422) return clear(told.fields);
          said.textContent = told.say || config.later;
        });
      });
    }

    function submit(event) {
      event.preventDefault();
      if (busy) return;
      clear();
      busy = button.disabled = true;
      send(true).catch(function () { said.textContent = config.later; }).then(function () { busy = button.disabled = false; });
    }

    var names = config.names ? [field("first_name", config.first, "text", "given-name", 100), field("last_name", config.last, "text", "family-name", 100)] : [];
    var form = made("form", { className: "woo-mautic-subscribe", noValidate: true },
      [trap()].concat(names, [field("email", config.email, "email", "email", 254), consent(), said, made("p", {}, [button])]));
    said.setAttribute("role", "alert");
    form.addEventListener("focusin", function () { ask().catch(function () {}); });
    form.addEventListener("submit", submit);
    place.setAttribute(MARK, "drawn");
    place.replaceChildren(form);
  }

  function look() { doc.querySelectorAll("[" + MARK + "='']").forEach(draw); }

  // Without a place of its own the form stands where the line stands.
  if (!doc.querySelector("[" + MARK + "]") && self && self.parentNode && self.parentNode !== doc.head) {
    var place = made("div");
    place.setAttribute(MARK, "");
    self.parentNode.insertBefore(place, self);
  }
  look();
  doc.addEventListener("DOMContentLoaded", look);
})(WOO_MAUTIC_CONFIG);
