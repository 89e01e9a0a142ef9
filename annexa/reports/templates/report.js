"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const controls = all("tbody.ctl");
  const find = byId("find"), pick = byId("pick"), found = byId("found");

  // Filter the statement.
  const texts = new Map(controls.map((body) => [body, body.textContent.toLowerCase()]));
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const body of controls) {
      const off = (pick.value && body.dataset.pick !== pick.value) || !words.every((word) => texts.get(body).includes(word));
      body.toggleAttribute("data-off", Boolean(off));
      if (!off) shown += 1;
    }
    found.textContent = shown === controls.length ? "" : `${shown} of ${controls.length} controls`;
  };
  byId("tools").hidden = false;
  find.addEventListener("input", filter);
  pick.addEventListener("change", filter);
  const fold = (open) => () => controls.forEach((body) => all("details", body).forEach((item) => { item.open = open; }));
  byId("unfold").addEventListener("click", fold(true));
  byId("fold").addEventListener("click", fold(false));

  // Sort tables whose rows are bodies of their own.
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const value = (body, column) => {
    const cell = body.rows[0].cells[column];
    return cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim();
  };
  const sort = (table, heading) => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const sign = up ? 1 : -1, column = heading.cellIndex;
    [...table.tBodies]
      .map((body, place) => ({ body, place, key: value(body, column) }))
      .sort((a, b) => sign * order.compare(a.key, b.key) || a.place - b.place)
      .forEach(({ body }) => table.append(body));
  };
  for (const table of all("table.sortable")) {
    for (const heading of all("thead th:not([data-fixed])", table)) {
      // Not a <button>: browsers leave it out where they repeat a table's head on the next sheet of paper.
      const button = document.createElement("span");
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, heading));
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort(table, heading);
      });
    }
  }

  // A link to a control opens it, whatever the filter hides.
  const arrive = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hasAttribute("data-off")) { find.value = ""; pick.value = ""; filter(); }
    if (target.matches("tbody.ctl")) target.querySelector("details").open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  if (location.hash) arrive();

  // Paper shows everything.
  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details:not([open])"); closed.forEach((item) => { item.open = true; }); });
  addEventListener("afterprint", () => { closed.forEach((item) => { item.open = false; }); closed = []; });
})();
