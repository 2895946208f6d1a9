// Saves a draft as one types. Without it the button 保存草稿 does the same.
(function () {
  "use strict";

  var form = document.querySelector("form[data-autosave]");
  if (!form || !window.fetch || !window.FormData) return;
  var said = form.querySelector("[data-saved]");
  var PAUSE = 1500; // milliseconds without a key
  var AGAIN = 15000; // after a failure
  var timer = null;
  var busy = false;
  var changed = false;
  var stopped = false;

  function say(words) {
    said.textContent = words;
  }

  function content() {
    var data = new window.FormData(form);
    ["file", "drop", "next"].forEach(function (name) { data.delete(name); });
    return data;
  }

  function later(pause) {
    window.clearTimeout(timer);
    if (!stopped) timer = window.setTimeout(save, pause);
  }

  function taken(answer) {
    form.elements.lock_version.value = answer.lock_version;
    say("已自动保存 " + answer.saved);
    if (changed) later(PAUSE);
  }

  function refused(status, answer) {
    changed = true;
    if (status === 409) {
      // Somebody else saved it: the button leads to a page that shows both.
      stopped = true;
      say(answer.message.split(/[：；。]/)[0] + "。您填的还在这一页，点「保存草稿」对照两个版本。");
    } else if (status === 503 || status === 429) {
      say("暂时没有存上，稍后自动再试。");
      later(AGAIN);
    } else {
      stopped = status !== 422; // half of something: typed on, it may be whole
      say((answer.message || "没有存上。") + "请点「保存草稿」。");
    }
  }

  function save() {
    if (busy || !changed) return;
    busy = true;
    changed = false;
    say("正在保存…");
    window.fetch(form.getAttribute("data-autosave"), {
      method: "POST",
      body: content(),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual"
    }).then(function (response) {
      if (response.type === "opaqueredirect") {
        busy = false;
        refused(401, { message: "登录已过期，您填的还在这一页。登录后可以接着填：" });
        return null;
      }
      return response.json().then(function (answer) {
        busy = false;
        if (response.ok) taken(answer);
        else refused(response.status, answer);
      });
    }).catch(function () {
      busy = false;
      changed = true;
      say("没有连上网站，内容还在这一页，稍后自动再试。");
      later(AGAIN);
    });
  }

  form.addEventListener("input", function (event) {
    if (event.target.type === "file" || event.target.name.indexOf("caption-") === 0) return;
    changed = true;
    later(PAUSE);
  });

  // Browsers bring only the line of the caret into view; the bar of buttons may cover the rest.
  form.addEventListener("focusin", function (event) {
    if (!event.target.closest(".stuck")) event.target.scrollIntoView({ block: "nearest" });
  });

  // While a save is under way the button waits for it, or its version would be the old one.
  form.addEventListener("submit", function (event) {
    window.clearTimeout(timer);
    stopped = true;
    changed = false;
    if (!busy) return;
    event.preventDefault();
    var pressed = event.submitter;
    var waiting = window.setInterval(function () {
      if (busy) return;
      window.clearInterval(waiting);
      if (pressed && form.requestSubmit) form.requestSubmit(pressed);
      else form.submit();
    }, 50);
  });
}());
