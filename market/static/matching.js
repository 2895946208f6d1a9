/* A reply template is put into the answer box where one writes, instead of opening the page anew. */
(function () {
  "use strict";
  var box = document.querySelector("#say textarea");
  if (!box) { return; }
  document.querySelectorAll("a[data-template]").forEach(function (link) {
    link.addEventListener("click", function (event) {
      event.preventDefault();
      var before = box.value.trim();
      box.value = (before ? before + "\n" : "") + link.getAttribute("data-template");
      box.focus();
    });
  });
})();
