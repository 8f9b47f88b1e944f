"use strict";
// Shows the turn or event under the pointer or the keyboard's focus. Without it the drawing is still a list of links.
(() => {
  const card = document.getElementById("card");
  const describe = (link) => {
    const target = document.querySelector(link.getAttribute("href"));
    if (!target) return;
    card.replaceChildren(...[...target.children].map((child) => child.cloneNode(true)));
    for (const inner of card.querySelectorAll("a")) inner.replaceWith(inner.textContent);
    card.className = target.className;
    card.hidden = false;
    const box = link.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - card.offsetWidth / 2), innerWidth - card.offsetWidth - 8);
    const below = box.bottom + 10 + card.offsetHeight < innerHeight || box.top < card.offsetHeight + 18;
    card.style.left = `${Math.max(8, left)}px`;
    card.style.top = `${below ? box.bottom + 10 : box.top - card.offsetHeight - 10}px`;
  };
  const hide = () => {
    card.hidden = true;
  };
  for (const link of document.querySelectorAll(".timeline a")) {
    link.addEventListener("pointerenter", () => describe(link));
    link.addEventListener("pointerleave", hide);
    link.addEventListener("focus", () => describe(link));
    link.addEventListener("blur", hide);
  }
  const follow = () => {
    const focused = document.activeElement;
    if (!card.hidden && focused && focused.closest(".timeline a")) describe(focused);
    else hide();
  };
  addEventListener("scroll", follow, { passive: true });
  addEventListener("resize", follow);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
})();
