// 填报抄录单: a button beside each field copies it, for pasting into the national system.
(function () {
  "use strict";

  var told = document.querySelector("[data-copied]");

  function copyByHand(text) {
    var field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.appendChild(field);
    field.select();
    document.execCommand("copy");
    document.body.removeChild(field);
  }

  Array.prototype.forEach.call(document.querySelectorAll("[data-copy]"), function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var row = button.closest("tr");
      var text = row.querySelector("[data-copy-text]").textContent.trim();
      if (navigator.clipboard && window.isSecureContext) {
        navigator.clipboard.writeText(text).catch(function () { copyByHand(text); });
      } else {
        copyByHand(text);
        button.focus();
      }
      row.classList.add("copied");
      told.textContent = "已复制：" + row.querySelector("th").textContent.trim();
    });
  });
})();
