"use strict";
(() => {
  const key = "lgt-audit-" + document.body.dataset.sample;
  const articles = [...document.querySelectorAll("article")];
  const auditor = document.getElementById("auditor");
  const status = document.getElementById("status");
  let kept = true;
  let state = { auditor: "", verdicts: {} };

  try {
    state = JSON.parse(localStorage.getItem(key)) || state;
  } catch (error) {
    kept = false;
  }

  const isWhole = (verdict) => verdict.verdict === "right" || (verdict.verdict === "wrong" && verdict.error_kind);

  function save() {
    try {
      localStorage.setItem(key, JSON.stringify(state));
    } catch (error) {
      kept = false;
    }
  }

  function show() {
    for (const article of articles) {
      const found = state.verdicts[article.dataset.rowId] || {};
      for (const button of article.querySelectorAll("button")) {
        const on = button.dataset.verdict ? button.dataset.verdict === found.verdict : button.dataset.kind === found.error_kind;
        button.setAttribute("aria-pressed", String(on));
      }
      article.classList.toggle("done", Boolean(isWhole(found)));
      const note = article.querySelector(".note");
      if (document.activeElement !== note) note.value = found.note || "";
    }
    const found = Object.values(state.verdicts);
    const whole = found.filter(isWhole).length;
    const open = found.filter((verdict) => verdict.verdict === "wrong" && !verdict.error_kind).length;
    status.textContent = `${whole} of ${articles.length} judged` + (open ? `; ${open} wrong without a kind` : "") +
      (kept ? "" : "; this browser keeps nothing: download before you close the page");
  }

  function judge(article, change) {
    const id = article.dataset.rowId;
    state.verdicts[id] = { verdict: null, error_kind: null, note: "", ...state.verdicts[id], ...change, judged_at: new Date().toISOString() };
    save();
    show();
  }

  function lines() {
    return articles.map((article) => article.dataset.rowId)
      .filter((id) => state.verdicts[id] && isWhole(state.verdicts[id]))
      .map((id) => JSON.stringify({
        row_id: id, table: document.body.dataset.table, auditor: state.auditor.trim(), ...state.verdicts[id],
        sample: document.body.dataset.sample,
      }) + "\n");
  }

  function download() {
    if (!state.auditor.trim()) {
      status.textContent = "Write your name first";
      auditor.focus();
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(lines(), { type: "application/jsonl" }));
    link.download = `verdicts-${document.body.dataset.table}-${document.body.dataset.sample}.jsonl`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  for (const article of articles) {
    article.addEventListener("click", (event) => {
      const { verdict, kind } = event.target.dataset;
      if (verdict === "right") judge(article, { verdict, error_kind: null });
      if (verdict === "wrong") judge(article, { verdict });
      if (kind) judge(article, { verdict: "wrong", error_kind: kind });
    });
    article.querySelector(".note").addEventListener("input", (event) => judge(article, { note: event.target.value }));
  }
  auditor.value = state.auditor;
  auditor.addEventListener("input", () => { state.auditor = auditor.value; save(); });
  document.getElementById("download").addEventListener("click", download);
  show();
})();
