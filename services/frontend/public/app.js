import { revealScripted } from './dom.js';
import { startLive } from './live.js';
import { startPeople } from './people.js';
import { startPhoto } from './photo.js';
import { localiseTimes } from './times.js';
import { startUploads } from './upload.js';

/**
 * Makes what the server sent ready for use.
 * @param {ParentNode} root
 */
function dress(root) {
  localiseTimes(root);
  revealScripted(root);
}

/** Exchanges the main part by what the server says now. */
async function refreshMain() {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } });
  const fetched = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main');
  const main = document.querySelector('main');
  if (!fetched || !main) return;
  const made = document.adoptNode(fetched);
  dress(made);
  main.replaceChildren(...made.childNodes);
}

/** A choice in the filters takes effect at once; only the text waits for Enter. */
function startFilters() {
  const form = document.querySelector('[data-filters]');
  if (!(form instanceof HTMLFormElement)) return;
  form.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLSelectElement) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const params = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === 'string' && value !== '' && !(name === 'sort' && value === 'newest')) params.set(name, value);
    }
    location.assign(params.size === 0 ? '/' : `/?${params}`);
  });
}

dress(document);
startFilters();
startUploads();
startPeople();
startPhoto(refreshMain);
startLive(refreshMain);
