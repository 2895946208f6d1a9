/* 二级类别 offers those of the chosen class. Without it all are offered, each with its class. */
(function () {
  "use strict";
  var above = document.querySelector("select[name=contract_class]");
  var below = document.querySelector("select[name=subclass]");
  if (!above || !below || above.form !== below.form) { return; }
  var all = Array.prototype.slice.call(below.options);

  function narrow() {
    var chosen = above.options[above.selectedIndex];
    var start = chosen && chosen.value ? chosen.text + "：" : "";
    var kept = below.value;
    all.forEach(function (option) {
      var fits = !option.value || option.text.indexOf(start) === 0;
      // What stands there already stays until the class is changed: it is told beside it.
      if (fits || (option.value === kept && !changed)) {
        below.appendChild(option);
      } else if (option.parentNode) {
        below.removeChild(option);
      }
    });
    below.value = all.some(function (option) {
      return option.parentNode && option.value === kept;
    }) ? kept : "";
  }

  var changed = false;
  above.addEventListener("change", function () {
    changed = true;
    narrow();
  });
  narrow();
})();
