// The page of an import that is underway: asks how far it is, and shows the result by itself.
(function () {
  "use strict";
  var place = document.querySelector("[data-import]");
  if (!place) { return; }
  var words = place.querySelector("[data-progress-words]");
  var bar = place.querySelector("progress");
  var pause = 1000;

  function tell(found) {
    if (found.state === "waiting") {
      return found.ahead ? "前面还有 " + found.ahead + " 个文件。" : "马上开始。";
    }
    if (!found.rows_total) { return "正在读文件。"; }
    var act = found.state === "importing" ? "导入" : "检查";
    return "已" + act + " " + found.rows_seen + " 行，共 " + found.rows_total + " 行。";
  }

  function ask() {
    fetch(place.dataset.import, { credentials: "same-origin", headers: { Accept: "application/json" } })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.json();
      })
      .then(function (found) {
        if (found.state !== place.dataset.state) {
          location.reload();
          return;
        }
        var sentence = tell(found);
        if (words.textContent !== sentence) { words.textContent = sentence; }
        bar.max = found.rows_total || 1;
        bar.value = found.rows_seen;
        pause = Math.min(pause * 1.2, 5000);
        setTimeout(ask, pause);
      })
      .catch(function () { setTimeout(ask, 10000); });
  }

  setTimeout(ask, pause);
})();
