// Shows what a term of the glossary means, beside the words, on hover and on keyboard focus.
// Without this script the meaning is the link's title.
document.addEventListener("DOMContentLoaded", () => {
  const note = Object.assign(document.createElement("div"), { id: "explanation", hidden: true });
  note.setAttribute("role", "tooltip");
  document.body.append(note);
  const hide = () => { note.hidden = true; };
  const show = (link) => {
    note.textContent = link.dataset.meaning;
    note.hidden = false;
    const words = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - note.offsetWidth - 8;
    const below = words.bottom + 6 + note.offsetHeight < window.innerHeight;
    const top = below ? words.bottom + 6 : words.top - 6 - note.offsetHeight;
    note.style.left = `${window.scrollX + Math.max(8, Math.min(words.left, room))}px`;
    note.style.top = `${window.scrollY + top}px`;
  };
  for (const link of document.querySelectorAll("a.explained[title]")) {
    link.dataset.meaning = link.title;
    link.removeAttribute("title");
    link.setAttribute("aria-describedby", note.id);
    link.addEventListener("mouseenter", () => show(link));
    link.addEventListener("focus", () => show(link));
    link.addEventListener("mouseleave", hide);
    link.addEventListener("blur", hide);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
});
