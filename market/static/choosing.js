/* A list that follows what is typed: the page is asked for again, its part of the same name shown. */
(function () {
  "use strict";
  var form = document.querySelector("[data-choosing]");
  if (!form || !window.fetch) { return; }
  var field = form.querySelector("[type=search]");
  var place = document.getElementById(form.getAttribute("data-choosing"));
  var waiting = 0, asked = 0;
  field.addEventListener("input", function () {
    clearTimeout(waiting);
    waiting = setTimeout(look, 250);
  });
  function look() {
    var mine = ++asked;
    var address = form.getAttribute("action") + "?" + new URLSearchParams(new FormData(form));
    fetch(address, { credentials: "same-origin" }).then(function (answer) {
      return answer.ok ? answer.text() : Promise.reject(answer);
    }).then(function (text) {
      if (mine !== asked) { return; }
      var page = new DOMParser().parseFromString(text, "text/html");
      var found = page.getElementById(place.id);
      if (!found) { return; }
      while (place.firstChild) { place.removeChild(place.firstChild); }
      while (found.firstChild) { place.appendChild(found.firstChild); }
    }).catch(function () { /* the button still works */ });
  }
})();
