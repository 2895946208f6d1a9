/* A file field in the page's own words: the button's label, and which files were chosen. The field
   itself stays in place, only unseen: it takes the focus and opens by keyboard as before. */
(function () {
  "use strict";
  document.querySelectorAll("[data-file-picker]").forEach(function (box) {
    var field = box.querySelector("input");
    var names = box.querySelector("[data-file-names]");
    function tell() {
      var chosen = Array.prototype.map.call(field.files, function (file) { return file.name; });
      names.textContent = chosen.join("、") || names.getAttribute("data-none");
    }
    field.classList.add("file-over");
    box.querySelector("label").hidden = false;
    names.hidden = false;
    field.addEventListener("change", tell);
    if (field.form) { field.form.addEventListener("reset", function () { setTimeout(tell); }); }
    tell();
  });
})();
