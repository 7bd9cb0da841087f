// The portal's page has the link's token from the fragment of its address, which browsers send nowhere, and
// asks for its contents with it. The token is kept for this tab, so that a reload works.
(() => {
  const tenant = location.pathname.split("/")[2];
  const key = `hookloop-portal/${tenant}`;
  const page = document.getElementById("page");
  const alerted = document.getElementById("alert");
  let token = "";

  // A frame in another site's page may have no storage: then a reload needs the link again.
  const keep = (value) => { try { sessionStorage.setItem(key, value); } catch { /* none */ } };
  const kept = () => { try { return sessionStorage.getItem(key) ?? ""; } catch { return ""; } };

  const tell = (type, more) => parent !== window && parent.postMessage({ type: `hookloop-portal/${type}`, ...more }, "*");

  // take has the token from the fragment, and takes it out of the address.
  function take() {
    const given = location.hash.slice(1);
    if (given.length < 20) return false;
    token = given;
    keep(token);
    history.replaceState(history.state, "", location.pathname + location.search);
    return true;
  }

  const open = () => htmx.ajax("GET", location.pathname + location.search, { target: "#page", swap: "innerHTML" });

  document.addEventListener("htmx:configRequest", ({ detail }) => { detail.headers.Authorization = `Bearer ${token}`; });
  document.addEventListener("htmx:historyCacheMiss", ({ detail }) => detail.xhr.setRequestHeader("Authorization", `Bearer ${token}`));
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.hasAttribute("data-news")) event.preventDefault(); // no one looks
  });
  // What looks for news by itself is not replaced by an error, unless the link opens nothing any more.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.xhr.status < 400 || detail.target.id !== "live") return;
    detail.shouldSwap = detail.xhr.status === 401;
    Object.assign(detail, { target: page, swapOverride: "innerHTML", selectOverride: "unset" });
  });
  document.addEventListener("htmx:sendError", () => { alerted.textContent = "The server cannot be reached. Try again in a moment."; alerted.classList.remove("hidden"); });
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    alerted.textContent = "";
    alerted.classList.add("hidden");
    if (page.querySelector("[data-ended]")) tell("ended");
    if (detail.requestConfig?.boosted) page.querySelector("h1")?.focus({ preventScroll: true });
  });
  new ResizeObserver(() => tell("height", { height: document.documentElement.offsetHeight })).observe(document.body);

  // Who embeds the page gives it a new link by a new fragment: no page is loaded anew for that.
  addEventListener("hashchange", () => take() && open());

  if (!take()) token = kept();
  if (token) open();
  else {
    document.getElementById("opening").textContent = "This page opens by its link. Go back to where you found it, and open it again.";
    tell("ended");
  }
})();
