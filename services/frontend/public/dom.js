/**
 * An element. Text is set as text, never as HTML.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | undefined>} [attributes] false and undefined leave the attribute out
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

/**
 * The first element of HTML that our own server has escaped.
 * @param {string} html
 * @returns {HTMLElement | null}
 */
export function parseElement(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  const first = template.content.firstElementChild;
  return first instanceof HTMLElement ? first : null;
}

/**
 * Shows what needs the script.
 * @param {ParentNode} root
 */
export function revealScripted(root) {
  for (const one of root.querySelectorAll('[data-scripted]')) one.removeAttribute('hidden');
}

/** @param {string} text */
export function announce(text) {
  const line = document.querySelector('[data-announce]');
  if (line) line.textContent = text;
}
