// Elements made in few words; no text is ever taken for HTML.

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") for (const [kind, listener] of Object.entries(value)) element.addEventListener(kind, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Children made anew: the button that had the keyboard's focus has it again, by what it is called.
export function renew(box, ...children) {
  const called = (button) => button.getAttribute("aria-label") ?? button.textContent;
  const focused = box.contains(document.activeElement) ? document.activeElement : null;
  const alike = () => [...box.querySelectorAll("button")].filter((button) => called(button) === called(focused));
  const at = focused ? alike().indexOf(focused) : -1;
  box.replaceChildren(...children);
  if (focused) (alike()[at] ?? alike()[0])?.focus({ preventScroll: true });
}

export function toast(text, kind = "note") {
  const box = byId(kind === "error" ? "errors" : "toasts");
  for (const line of box.children) if (line.textContent === text) line.remove();
  const line = make("div", { className: `toast ${kind}` }, text);
  box.append(line);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => line.remove(), kind === "error" ? 9000 : 5000);
}

// Tabs by the pattern of WAI-ARIA: arrow keys move, and one of them is in the tab order.
export function tabs(list, chosen) {
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) chosen(tab);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const all = [...list.querySelectorAll("[role=tab]")];
    const at = all.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = all[(at + step + all.length) % all.length];
    next.focus();
    chosen(next);
  });
}

export function mark(list, tab) {
  for (const other of list.querySelectorAll("[role=tab]")) {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
  }
}
