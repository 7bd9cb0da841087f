// The panel speaks with the Temporal UI that frames it: it learns which workflow is shown (where the UI may
// say it), and says how high it is. The messages are those of the UI's iframe extensions, version 1.
(() => {
  const extensionId = "hookloop", version = 1;
  const known = document.querySelector("meta[name=ui-origins]").content.split(" ").filter(Boolean);
  const around = location.ancestorOrigins;
  const origins = around ? known.filter((origin) => around[0] === origin) : known;
  let instanceId;

  const tell = (message) => origins.forEach((origin) => parent.postMessage({ extensionId, version, instanceId, ...message }, origin));
  const grow = () => instanceId && tell({ type: "temporal-extension/resize", height: document.body.offsetHeight + 8 });

  addEventListener("message", ({ origin, source, data }) => {
    if (source !== parent || !origins.includes(origin) || data?.extensionId !== extensionId) return;
    if (data.type === "temporal-ui/welcome") {
      instanceId = data.instanceId;
      tell({ type: "temporal-extension/ready" });
      grow();
    }
    const shown = data.type === "temporal-ui/context" && data.context?.workflow?.workflowId;
    if (shown && shown !== new URLSearchParams(location.search).get("workflow")) {
      location.replace(`${location.pathname}?workflow=${encodeURIComponent(shown)}`);
    }
  });
  new ResizeObserver(grow).observe(document.body);
  if (parent !== window) tell({ type: "temporal-extension/hello" });
})();
