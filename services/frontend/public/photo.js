import { ask } from './dialogs.js';
import { call, capital, explain, isDone } from './receiver.js';

/** @param {string} text */
function say(text) {
  const line = document.querySelector('[data-said]');
  if (line) line.textContent = text;
}

/**
 * Does `work` while the button is not to be pressed again.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} work
 */
async function whileDisabled(button, work) {
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {string} id
 * @param {() => Promise<void>} refresh
 */
async function retry(id, refresh) {
  const answer = await call('POST', '/images/retry', { json: { ids: [Number(id)] } });
  if (!isDone(answer)) return say(explain(answer));
  await refresh();
  say('Put back: it waits for its turn.');
}

/** @param {string} id */
async function erase(id) {
  const yes = await ask({
    title: `Erase photo ${id}?`,
    text: ['This cannot be undone. What goes:'],
    list: [
      'the photo’s row, with its status and history',
      'the faces that were found on it, with their descriptors',
      'the file, where it was uploaded from a page',
    ],
    yes: 'Erase the photo',
    isDangerous: true,
  });
  if (!yes) return;
  const answer = await call('DELETE', `/images/${id}`);
  if (isDone(answer) || answer.status === 404) location.assign('/');
  else say(explain(answer));
}

/**
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} refresh
 */
async function correct(form, refresh) {
  const chosen = new FormData(form).get('person');
  const answer = await call('POST', form.dataset.correct ?? '', { json: { person: chosen ? Number(chosen) : null } });
  const place = form.closest('li')?.id;
  if (!isDone(answer)) return say(capital(explain(answer)));
  await refresh();
  say('The name is corrected.');
  if (place) document.getElementById(place)?.querySelector('select')?.focus();
}

/**
 * The buttons of a photo's page.
 * @param {() => Promise<void>} refresh fetches the page's main part anew
 */
export function startPhoto(refresh) {
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null;
    if (!button) return;
    const { retry: again, erasePhoto } = button.dataset;
    if (again) void whileDisabled(button, () => retry(again, refresh));
    if (erasePhoto) void whileDisabled(button, () => erase(erasePhoto));
  });
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.correct) return;
    event.preventDefault();
    const button = form.querySelector('button');
    if (button) void whileDisabled(button, () => correct(form, refresh));
  });
}
