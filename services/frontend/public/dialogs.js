import { element } from './dom.js';

/**
 * Asks in a modal dialog. Resolves to the text of the field (or 'yes' without one), or to undefined where the answer is no.
 * @param {object} question
 * @param {string} question.title
 * @param {(Node | string)[]} [question.text] one paragraph each
 * @param {string[]} [question.list]
 * @param {{ label: string, value?: string, type?: string }} [question.field]
 * @param {string} question.yes
 * @param {boolean} [question.isDangerous]
 * @returns {Promise<string | undefined>}
 */
export function ask({ title, text = [], list = [], field, yes, isDangerous = false }) {
  const input =
    field && element('input', { type: field.type ?? 'text', value: field.value ?? '', required: true, maxlength: '255' });
  const heading = element('h2', { id: 'dialog-title' }, title);
  const form = element(
    'form',
    { method: 'dialog' },
    heading,
    ...text.map((paragraph) => element('p', {}, paragraph)),
    list.length > 0 ? element('ul', {}, ...list.map((line) => element('li', {}, line))) : undefined,
    field && input ? element('label', { class: 'field' }, element('span', {}, field.label), input) : undefined,
    element(
      'div',
      { class: 'buttons' },
      element('button', { class: 'button quiet', value: 'no', type: 'button', 'data-no': true }, 'Cancel'),
      element('button', { class: isDangerous ? 'button danger' : 'button', value: 'yes' }, yes),
    ),
  );
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.querySelector('[data-no]')?.addEventListener('click', () => dialog.close('no'));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes' ? (input ? input.value.trim() : 'yes') : undefined);
    });
    dialog.showModal();
    if (input) input.select();
  });
}
