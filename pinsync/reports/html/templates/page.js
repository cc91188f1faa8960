"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const articles = [...document.querySelectorAll("article")];
  const sections = [...document.querySelectorAll("section.group")];
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
        (!group || article.parentElement.id === group) &&
        (!model || article.dataset.model === model) &&
        words.every((word) => read(article).includes(word));
      article.hidden = !isShown;
      shown += Number(isShown);
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("article:not([hidden])");
    }
    form.elements.shown.value = `${shown} of ${articles.length} rules shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A browser may restore the fields of an earlier visit.
  window.addEventListener("pageshow", apply);
  form.hidden = false;
})();
