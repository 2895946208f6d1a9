// 工作台: move through the table with j and k, tick with x, open with Enter. Only while the focus
// is in the table, so that no key is taken from anything else. A page at work looks again by itself.
(function () {
  "use strict";

  var table = document.querySelector("[data-desk]");
  if (table) {
    var links = Array.prototype.slice.call(table.querySelectorAll("tbody th a"));
    var here = function () {
      var row = document.activeElement && document.activeElement.closest("tbody tr");
      return row ? links.indexOf(row.querySelector("th a")) : -1;
    };
    table.tabIndex = 0;
    table.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) { return; }
      var at = here();
      if (event.key === "j" || event.key === "k") {
        var to = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
        links[to].focus();
      } else if (event.key === "x" && at >= 0) {
        var box = links[at].closest("tr").querySelector("input[type=checkbox]");
        if (box) { box.checked = !box.checked; }
      } else if (event.key === "Enter" && at >= 0 && document.activeElement.type === "checkbox") {
        links[at].click();
      } else {
        return;
      }
      event.preventDefault();
    });
  }

  var working = document.querySelector("[data-refresh]");
  if (working) {
    window.setTimeout(function () {
      window.location.reload();
    }, Number(working.dataset.refresh) * 1000);
  }
})();
