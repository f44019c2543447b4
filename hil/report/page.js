"use strict";
// The buttons that filter the table of requirements.
(() => {
  for (const box of document.querySelectorAll("[data-filter]")) {
    box.addEventListener("click", () => {
      for (const other of document.querySelectorAll("[data-filter]")) other.classList.toggle("on", other === box);
      for (const row of document.querySelectorAll("tr[data-status]"))
        row.hidden = box.dataset.filter !== "all" && row.dataset.status !== box.dataset.filter;
      for (const head of document.querySelectorAll(".coverage tr.group")) {
        let row = head.nextElementSibling, any = false;
        for (; row && !row.classList.contains("group"); row = row.nextElementSibling) any = any || !row.hidden;
        head.hidden = !any;
      }
    });
  }
})();
