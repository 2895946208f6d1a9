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
    field.setAttribute("aria-label", "链接");
    document.body.appendChild(field);
    field.select();
    var done = document.execCommand("copy");
    document.body.removeChild(field);
    return done;
  }

  function copyAddress(say) {
    var address = window.location.href;
    function byField() {
      say(copyByField(address) ? "已复制" : "复制不了，请从地址栏复制");
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(address).then(function () { say("已复制"); }, byField);
    } else {
      byField();
    }
  }

  each("[data-copy-link]", function (button) {
    var said = button.parentNode.querySelector("[data-copied]");
    button.hidden = false;
    button.addEventListener("click", function () {
      copyAddress(function (words) { said.textContent = words; });
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
      button.textContent = mine && mine.code === code ? "不再作为我的县" : "设为我的县";
    }
    button.hidden = false;
    show();
    button.addEventListener("click", function () {
      var mine = readCounty();
      var leave = mine && mine.code === code;
      stored("county", leave ? null : code + "|" + name);
      said.textContent = leave ? "已取消" : "已记在本机，首页会列出";
      show();
    });
  });

  each("[data-my-county]", function (place) {
    var mine = readCounty();
    if (!mine) return;
    var link = document.createElement("a");
    link.href = "/regions/" + mine.code;
    link.textContent = mine.name + "技术市场";
    place.textContent = "我的县：";
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

  each("[data-error-summary]", function (summary) { summary.focus(); });
})();
