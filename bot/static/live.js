// Keeps a page fresh: fetches it again and swaps its live part. Without this script a reload does the same.
"use strict";
(() => {
  const live = () => document.getElementById("live");
  if (!live()) return;

  const refresh = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const old = live();
    if (!fresh || !old || fresh.innerHTML === old.innerHTML) return;
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    old.replaceWith(document.adoptNode(fresh));
    [...fresh.querySelectorAll("details")].forEach((one, at) => { one.open = open[at] || false; });
  };

  const events = live().dataset.events;
  if (events) {
    let timer = 0;
    const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, 200); };
    const source = new EventSource(events);
    source.addEventListener("line", soon);
    source.addEventListener("done", () => { source.close(); soon(); });
    addEventListener("pagehide", () => source.close());
  }
  const every = Number(live().dataset.refresh || 0);
  if (every) setInterval(() => { if (!document.hidden) refresh(); }, every * 1000);
})();
