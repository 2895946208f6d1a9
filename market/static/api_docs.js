// Starts Swagger UI from the files of the installed package; no inline script is needed.
(function () {
  "use strict";
  var place = document.getElementById("api-reference");
  if (!place || !window.SwaggerUIBundle) return;

  // The package's own layout repeats the page's title and <main>; this one shows only what is new.
  function layoutPlugin(system) {
    var element = system.React.createElement;
    function MarketLayout(props) {
      function part(name, connected) { return element(props.getComponent(name, connected)); }
      if (!props.specSelectors.specJson().size) {
        return element("p", null, props.errSelectors.lastError() ? "接口定义读取失败，请刷新。" : "正在读取…");
      }
      return element(
        "div", { className: "swagger-ui" },
        part("SvgAssets"), part("errors", true), part("SchemesContainer", true),
        part("operations", true), part("Models", true)
      );
    }
    return { components: { MarketLayout: MarketLayout } };
  }

  window.SwaggerUIBundle({
    url: place.getAttribute("data-openapi"),
    domNode: place,
    deepLinking: false, // its links would lie inside buttons
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    syntaxHighlight: false, // its colours are too faint
    validatorUrl: null, // the default asks a foreign host
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [layoutPlugin],
    layout: "MarketLayout",
  });
})();
