/* Which files were chosen, beside the button of a file field. */
(function () {
  "use strict";
  document.querySelectorAll("[data-file-picker]").forEach(function (box) {
    var field = box.querySelector("input");
    var names = box.querySelector("[data-file-names]");
    function tell() {
      var chosen = Array.prototype.map.call(field.files, function (file) { return file.name; });
      names.textContent = chosen.join("、") || names.getAttribute("data-none");
    }
    field.addEventListener("change", tell);
    if (field.form) { field.form.addEventListener("reset", function () { setTimeout(tell); }); }
    tell();
  });
})();
