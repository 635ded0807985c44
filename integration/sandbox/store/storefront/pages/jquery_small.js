/* As much of jQuery as a checkout script expects: $(x).on/off/one/trigger with events that are not DOM events. */
(() => {
  "use strict";
  const heard = new WeakMap();

  function nodes(what) {
    if (typeof what === "string") return [...document.querySelectorAll(what)];
    return what ? [what] : [];
  }

  function list(node) {
    if (!heard.has(node)) heard.set(node, []);
    return heard.get(node);
  }

  function names(text) {
    return text.split(/\s+/).map((each) => each.split(".")[0]).filter(Boolean);
  }

  class Query {
    constructor(what) {
      this.nodes = nodes(what);
      this.length = this.nodes.length;
      this.nodes.forEach((node, place) => (this[place] = node));
    }

    on(events, selector, handler) {
      const [inside, listener] = typeof selector === "function" ? ["", selector] : [selector, handler];
      for (const node of this.nodes) {
        for (const name of names(events)) {
          const native = (event) => {
            const target = inside ? event.target.closest(inside) : node;
            if (target) listener.call(target, event);
          };
          node.addEventListener(name, native);
          list(node).push({ name, listener, native });
        }
      }
      return this;
    }

    one(events, listener) {
      const once = (...args) => {
        this.off(events, once);
        return listener(...args);
      };
      return this.on(events, once);
    }

    off(events, listener) {
      for (const node of this.nodes) {
        for (const each of list(node).filter(({ name }) => names(events).includes(name))) {
          if (listener && each.listener !== listener) continue;
          node.removeEventListener(each.name, each.native);
          list(node).splice(list(node).indexOf(each), 1);
        }
      }
      return this;
    }

    /* A triggered event reaches only those who listened with on(), never addEventListener, as in jQuery. */
    trigger(name, args = []) {
      for (const node of this.nodes) {
        const event = { type: name, target: node, currentTarget: node, preventDefault() {}, stopPropagation() {} };
        const told = list(node).filter((each) => each.name === name);
        told.forEach((each) => each.listener.call(node, event, ...[].concat(args)));
      }
      return this;
    }

    ready(listener) {
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => listener(window.jQuery));
      else listener(window.jQuery);
      return this;
    }

    each(listener) {
      this.nodes.forEach((node, place) => listener.call(node, place, node));
      return this;
    }

    val(value) {
      if (value === undefined) return this.length ? this[0].value : undefined;
      return this.each((_, node) => (node.value = value));
    }
  }

  window.jQuery = window.$ = (what) => (typeof what === "function" ? new Query(document).ready(what) : new Query(what));
})();
