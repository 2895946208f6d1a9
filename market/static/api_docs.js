// Starts Swagger UI from the files of the installed package; no inline script is needed.
(function () {
  "use strict";
  var place = document.getElementById("api-reference");
  if (!place || !window.SwaggerUIBundle) return;
  window.SwaggerUIBundle({
    url: place.getAttribute("data-openapi"),
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    validatorUrl: null, // the default asks a foreign host
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
})();
