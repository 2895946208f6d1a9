// Small conveniences. Every page works without them.
(function () {
  "use strict";

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  // Local storage throws when the browser forbids it.
  function stored(key, value) {
    try {
      if (value === undefined) return window.localStorage.getItem(key);
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, value);
    } catch (error) {
      return null;
    }
    return value;
  }

  function copyByField(text) {
    var field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    field.setAttribute("aria-label", text);
    document.body.appendChild(field);
    field.select();
    var done = document.execCommand("copy");
    document.body.removeChild(field);
    return done;
  }

  // The words for what happened stand on the button: data-done, data-failed.
  function copyAddress(button, say) {
    var address = window.location.href;
    function copied() { say(button.getAttribute("data-done")); }
    function byField() {
      if (copyByField(address)) copied();
      else say(button.getAttribute("data-failed"));
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(address).then(copied, byField);
    } else {
      byField();
    }
  }

  each("[data-copy-link]", function (button) {
    var said = button.parentNode.querySelector("[data-copied]");
    button.hidden = false;
    button.addEventListener("click", function () {
      copyAddress(button, function (words) { said.textContent = words; });
      window.setTimeout(function () { said.textContent = ""; }, 4000);
    });
  });

  each("[data-print]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });

  each("[data-today]", function (place) {
    var now = new Date();
    function two(number) { return (number < 10 ? "0" : "") + number; }
    place.textContent =
      now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate());
  });

  // The reader's county: chosen on its page, offered on the home page, kept on this device only.
  function readCounty() {
    var parts = (stored("county") || "").split("|");
    return /^\d{6,12}$/.test(parts[0]) && parts[1] ? { code: parts[0], name: parts[1] } : null;
  }

  each("[data-county-code]", function (button) {
    var code = button.getAttribute("data-county-code");
    var name = button.getAttribute("data-county-name");
    var said = document.querySelector("[data-county-said]");
    function show() {
      var mine = readCounty();
      var words = mine && mine.code === code ? "data-leave" : "data-keep";
      button.textContent = button.getAttribute(words);
    }
    button.hidden = false;
    show();
    button.addEventListener("click", function () {
      var mine = readCounty();
      var leave = mine && mine.code === code;
      stored("county", leave ? null : code + "|" + name);
      said.textContent = button.getAttribute(leave ? "data-left" : "data-kept");
      show();
    });
  });

  each("[data-my-county]", function (place) {
    var mine = readCounty();
    if (!mine) return;
    var link = document.createElement("a");
    link.href = place.getAttribute("data-address") + mine.code;
    link.textContent = place.getAttribute("data-market").replace("{name}", mine.name);
    place.textContent = place.getAttribute("data-words");
    place.appendChild(link);
    place.hidden = false;
  });

  // In a list of results, j and k move between titles; only while the focus is inside the list.
  each("[data-results]", function (list) {
    var titles = list.querySelectorAll(".result-title a");
    list.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      var step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
      if (!step) return;
      var at = Array.prototype.indexOf.call(titles, document.activeElement);
      var next = titles[at + step];
      if (next) {
        next.focus();
        event.preventDefault();
      }
    });
  });

  // Suggestions below a search box while one types: a WAI-ARIA combobox. The focus stays in the
  // box; arrows choose, Enter searches, Escape closes. Half-typed pinyin of an input method is
  // left alone until the characters are there.
  each("[data-suggest]", function (box) {
    var list = document.createElement("ul");
    var said = document.createElement("span");
    var chosen = -1, composing = false, timer = 0, asked = "";
    list.id = box.id + "-list";
    list.className = "dropdown-menu w-100";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", box.getAttribute("data-list"));
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    box.parentNode.classList.add("position-relative");
    box.parentNode.appendChild(list);
    box.parentNode.appendChild(said);
    box.type = "text"; // a combobox is never type=search, whose Escape would empty the box
    box.setAttribute("enterkeyhint", "search");
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", list.id);
    box.setAttribute("aria-expanded", "false");

    function isOpen() { return list.classList.contains("show"); }

    function choose(at) {
      var options = list.children;
      if (chosen >= 0 && options[chosen]) {
        options[chosen].classList.remove("active");
        options[chosen].setAttribute("aria-selected", "false");
      }
      chosen = at;
      if (at < 0) {
        box.removeAttribute("aria-activedescendant");
        return;
      }
      options[at].classList.add("active");
      options[at].setAttribute("aria-selected", "true");
      box.setAttribute("aria-activedescendant", options[at].id);
    }

    function close() {
      choose(-1);
      list.classList.remove("show");
      box.setAttribute("aria-expanded", "false");
      said.textContent = "";
    }

    function take(text) {
      window.clearTimeout(timer);
      close();
      asked = box.value = text;
    }

    function show(items) {
      close();
      list.textContent = "";
      if (!items.length || document.activeElement !== box) return;
      items.forEach(function (text, at) {
        var option = document.createElement("li");
        option.id = list.id + at;
        option.className = "dropdown-item text-wrap";
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.lang = "zh-CN";
        option.textContent = text;
        option.addEventListener("click", function () {
          take(text);
          box.form.submit();
        });
        list.appendChild(option);
      });
      list.classList.add("show");
      box.setAttribute("aria-expanded", "true");
      said.textContent = box.getAttribute("data-said").replace("{n}", items.length);
    }

    function ask() {
      var text = box.value.trim();
      if (text === asked) return;
      asked = text;
      if (!text) {
        show([]);
        return;
      }
      var address = box.getAttribute("data-suggest") + "?q=" + encodeURIComponent(text);
      window.fetch(address).then(function (answer) {
        return answer.ok ? answer.json() : { items: [] };
      }).then(function (answer) {
        if (text === asked) show(answer.items);
      }).catch(function () { close(); });
    }

    function askSoon() {
      window.clearTimeout(timer);
      if (!composing) timer = window.setTimeout(ask, 150);
    }

    box.addEventListener("compositionstart", function () { composing = true; });
    box.addEventListener("compositionend", function () {
      composing = false;
      askSoon();
    });
    box.addEventListener("input", askSoon);
    box.addEventListener("blur", close);
    // Pressing on an option must not take the focus out of the box.
    list.addEventListener("mousedown", function (event) { event.preventDefault(); });
    box.addEventListener("keydown", function (event) {
      var many = list.children.length;
      if (event.isComposing || composing || event.keyCode === 229) return;
      if (event.key === "Enter" && chosen >= 0) {
        take(list.children[chosen].textContent); // and the form is sent, as Enter does
      } else if (event.key === "Escape" && isOpen()) {
        close();
        event.preventDefault();
      } else if (isOpen() && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        // One place more than options: there what was typed counts.
        var step = event.key === "ArrowDown" ? 1 : -1;
        choose((chosen + 1 + step + many + 1) % (many + 1) - 1);
        event.preventDefault();
      }
    });
  });

  // The bar below a list of results says how many are marked for comparing, and stays in view.
  each(".compare-bar", function (form) {
    var said = form.querySelector("[data-chosen]");
    var hint = said.textContent;
    function count() {
      var marked = document.querySelectorAll("[form=compare]:checked").length;
      var words = said.getAttribute(marked > 4 ? "data-too-many" : "data-chosen");
      said.textContent = marked ? words.replace("#", marked) : hint;
      form.classList.toggle("stuck", marked > 0);
    }
    each("[form=compare]", function (box) { box.addEventListener("change", count); });
    window.addEventListener("pageshow", count);
  });

  each("[data-error-summary]", function (summary) { summary.focus(); });
})();
