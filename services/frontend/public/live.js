import { announce, element, parseElement } from './dom.js';
import { localiseTimes } from './times.js';
import { reportRow } from './upload.js';

const POLL_MS = 3_000;
const PATIENCE_MS = 6_000; // a stream that says nothing for so long at its start is held back somewhere
const STREAM_AGAIN_MS = 60_000;
const MAX_ROWS = 300;

/** @typedef {{ id: number, version: string, html: string }} Row */
/** @typedef {{ rows: Row[], gone: number[] }} Changes */

/** @param {string} text */
function parseRows(text) {
  return new Map(
    text ? text.split(',').map((part) => /** @type {[number, string]} */ ([Number(part.split('.')[0]), part.split('.')[1]])) : [],
  );
}

/** The table of photos, kept as the server says. */
function createTable(/** @type {HTMLElement} */ body) {
  const rows = parseRows(body.dataset.rows ?? '');
  const query = new URLSearchParams(body.dataset.query);
  let floor = body.dataset.floor ?? '0';

  /** @param {Row} row */
  function place({ id, html, version }) {
    const made = parseElement(`<table><tbody>${html}</tbody></table>`)?.querySelector('tr');
    if (!made) return;
    localiseTimes(made);
    rows.set(id, version);
    const old = document.getElementById(`photo-${id}`);
    if (old) replace(old, made);
    else insert(made, id);
    reportRow(old ?? made);
  }

  // Only cells that look different are exchanged, so the picture does not flicker and the focus stays.
  function replace(/** @type {HTMLElement} */ old, /** @type {HTMLElement} */ made) {
    Object.assign(old.dataset, made.dataset);
    for (const [index, cell] of [...made.children].entries()) {
      const before = old.children[index];
      if (before && before.outerHTML !== cell.outerHTML) before.replaceWith(cell);
    }
    flash(old);
  }

  function insert(/** @type {HTMLElement} */ made, /** @type {number} */ id) {
    const next = [...body.children].find((row) => row instanceof HTMLElement && Number(row.dataset.id) < id);
    // What is being read stays where it is: the page is scrolled by as much as was put above it.
    const anchor = body.getBoundingClientRect().top < 0 ? next : undefined;
    const top = anchor?.getBoundingClientRect().top ?? 0;
    body.insertBefore(made, next ?? null);
    if (anchor) scrollBy({ top: anchor.getBoundingClientRect().top - top, behavior: 'instant' });
    flash(made);
  }

  function trim() {
    if (body.children.length < MAX_ROWS) return;
    while (body.children.length > MAX_ROWS) {
      const last = /** @type {HTMLElement} */ (body.lastElementChild);
      rows.delete(Number(last.dataset.id));
      last.remove();
    }
    // The next page begins below what is still there.
    floor = /** @type {HTMLElement} */ (body.lastElementChild).dataset.id ?? floor;
    const address = new URL(location.href);
    address.searchParams.delete('before');
    address.searchParams.set('after', floor);
    const link = document.querySelector('.pager a[rel=next]');
    if (link) return link.setAttribute('href', address.href);
    const made = element('a', { class: 'button quiet', rel: 'next', href: address.href }, 'Older →');
    document.querySelector('[data-empty]')?.after(element('nav', { class: 'pager', 'aria-label': 'Pages' }, made));
  }

  return {
    params() {
      const params = new URLSearchParams(query);
      params.set('table', '');
      params.set('floor', floor);
      params.set('rows', [...rows].map(([id, version]) => `${id}.${version}`).join(','));
      return params;
    },
    /** @param {Changes} changes */
    apply({ rows: changed, gone }) {
      const before = rows.size;
      for (const row of changed) place(row);
      for (const id of gone) {
        rows.delete(id);
        document.getElementById(`photo-${id}`)?.remove();
      }
      trim();
      document.querySelector('[data-table]')?.toggleAttribute('hidden', body.children.length === 0);
      document.querySelector('[data-empty]')?.toggleAttribute('hidden', body.children.length > 0);
      const added = rows.size - before;
      if (added > 0) announce(added === 1 ? 'One new photo.' : `${added} new photos.`);
    },
  };
}

/** @param {HTMLElement} row */
function flash(row) {
  row.classList.remove('changed');
  void row.offsetWidth; // so that the animation starts anew
  row.classList.add('changed');
}

/**
 * One photo's page, which is fetched anew when the photo changes.
 * @param {HTMLElement} body
 * @param {() => Promise<void>} refresh
 */
function createSingle(body, refresh) {
  const rows = parseRows(body.dataset.photo ?? '');
  return {
    params: () => new URLSearchParams({ rows: [...rows].map(([id, version]) => `${id}.${version}`).join(',') }),
    /** @param {Changes} changes */
    apply({ rows: changed, gone }) {
      for (const { id, version } of changed) rows.set(id, version);
      for (const id of gone) rows.delete(id);
      if (changed.length === 0 && gone.length === 0) return;
      // Not under the hands of somebody who is choosing a name.
      const active = document.activeElement;
      if (active instanceof HTMLSelectElement) active.addEventListener('blur', () => void refresh(), { once: true });
      else void refresh();
    },
  };
}

/** @param {string} html */
function showSummary(html) {
  const made = parseElement(html);
  if (made) document.querySelector('[data-summary]')?.replaceWith(made);
}

/** @param {'live' | 'polling' | 'away' | 'lost'} state */
function showState(state) {
  const sign = document.querySelector('[data-live]');
  if (!(sign instanceof HTMLElement)) return;
  const words = { live: 'Live', polling: 'Live, every few seconds', away: 'The database is away', lost: 'Reconnecting' };
  sign.hidden = false;
  sign.dataset.live = state;
  sign.textContent = words[state];
}

/**
 * Follows what the page shows: by a stream of events, or by asking again and again where no stream comes through. A hidden page
 * does neither, and catches up when it is looked at.
 * @param {() => Promise<void>} refreshPage
 */
export function startLive(refreshPage) {
  const body = document.querySelector('[data-rows]');
  const single = document.querySelector('[data-photo]');
  const target =
    body instanceof HTMLElement
      ? createTable(body)
      : single instanceof HTMLElement
        ? createSingle(single, refreshPage)
        : undefined;
  if (!target) return;

  /** @type {EventSource | undefined} */
  let stream;
  /** @type {number | undefined} */
  let timer;
  let pollingSince = 0;

  function stop() {
    stream?.close();
    stream = undefined;
    clearTimeout(timer);
  }

  function listen() {
    stop();
    stream = new EventSource(`/events?${target?.params()}`);
    timer = setTimeout(poll, PATIENCE_MS);
    stream.addEventListener('hello', () => {
      clearTimeout(timer);
      pollingSince = 0;
      showState('live');
    });
    stream.addEventListener('changes', ({ data }) => target?.apply(JSON.parse(data)));
    stream.addEventListener('summary', ({ data }) => showSummary(JSON.parse(data)));
    stream.addEventListener('database', ({ data }) => showState(JSON.parse(data).isAway ? 'away' : 'live'));
    stream.onerror = () => {
      // The stream's address names rows as they were: it is opened anew with what is shown now.
      showState('lost');
      stop();
      timer = setTimeout(poll, 1_000);
    };
  }

  async function poll() {
    stop();
    pollingSince ||= Date.now();
    if (Date.now() - pollingSince > STREAM_AGAIN_MS) {
      pollingSince = 0;
      return listen();
    }
    try {
      const response = await fetch(`/changes?${target?.params()}`);
      if (response.ok) {
        const { summary, ...changes } = await response.json();
        target?.apply(changes);
        if (summary) showSummary(summary);
      }
      showState(response.ok ? 'polling' : 'away');
    } catch {
      showState('lost');
    }
    if (!document.hidden) timer = setTimeout(poll, POLL_MS);
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : listen()));
  addEventListener('pagehide', stop);
  addEventListener('pageshow', (event) => {
    if (event.persisted) listen();
  });
  if (!document.hidden) listen();
}
