"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const articles = [...document.querySelectorAll("article")];
  const sections = [...document.querySelectorAll("main section")];
  const texts = new Map();
  const read = (article) => {
    // Read at the first search only: a page may have thousands of tiles.
    if (!texts.has(article)) {
      const tiles = [...article.querySelectorAll("[data-identity]")];
      const words = [article.textContent, ...tiles.map((tile) => tile.dataset.identity)];
      texts.set(article, words.join(" ").replace(/\s+/g, " ").toLowerCase());
    }
    return texts.get(article);
  };
  const choose = (name) => form.elements[name]?.value ?? "";
  const apply = () => {
    const words = choose("text").toLowerCase().split(/\s+/).filter(Boolean);
    const [group, model] = [choose("group"), choose("model")];
    let shown = 0;
    for (const article of articles) {
      const isShown =
        (!group || article.closest("section.group").id === group) &&
        (!model || article.dataset.model === model) &&
        words.every((word) => read(article).includes(word));
      article.hidden = !isShown;
      shown += Number(isShown);
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("article:not([hidden])");
    }
    const { shown: status } = form.elements;
    status.value = `${shown} of ${articles.length} ${status.dataset.noun} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    // A link must not lead to what the filters hide.
    const link = event.target.closest('a[href^="#"]');
    const target = link && document.getElementById(link.hash.slice(1));
    if (target?.closest("[hidden]")) {
      form.reset();
      apply();
    }
  });
  // A browser may restore the fields of an earlier visit.
  window.addEventListener("pageshow", apply);
  form.hidden = false;
})();
