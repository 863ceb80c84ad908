import { ask } from './dialogs.js';

// Whatever changes something goes to the receiver. Its token, where it wants one, lives as long as this tab's session.
const TOKEN = 'kube-face-token';

/** What a call came to: `status` 0 is no answer at all. */
/** @typedef {{ status: number, body: any }} Answer */

/** Where the receiver is: as configured, or this page's host with its port. */
export function receiverAddress() {
  const configured = document.body.dataset.receiver ?? '';
  return configured.startsWith(':') ? `${location.protocol}//${location.hostname}${configured}` : configured;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {BodyInit | null} body
 * @param {(part: number) => void} [onProgress] part of the body that is sent, 0 to 1
 * @returns {Promise<Answer>}
 */
function send(method, path, body, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, receiverAddress() + path);
    request.setRequestHeader('accept', 'application/json');
    if (typeof body === 'string') request.setRequestHeader('content-type', 'application/json');
    const token = sessionStorage.getItem(TOKEN);
    if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 0);
    request.onloadend = () => {
      let parsed = null;
      try {
        parsed = JSON.parse(request.responseText);
      } catch {
        // no answer, or none of the receiver's
      }
      resolve({ status: request.status, body: parsed });
    };
    request.send(/** @type {XMLHttpRequestBodyInit | null} */ (body));
  });
}

/** @type {Promise<boolean> | undefined} */
let asking;

/** Asks for the token, once however many calls wait for it. Resolves to whether there is one to try. */
function askToken() {
  asking ??= ask({
    title: 'This receiver asks for a token',
    text: [
      sessionStorage.getItem(TOKEN)
        ? 'The token was not accepted. Please enter it again.'
        : 'Enter the API token to post photos and to change things. It is kept until you close this tab.',
    ],
    field: { label: 'Token', type: 'password' },
    yes: 'Use the token',
  })
    .then((token) => {
      if (token) sessionStorage.setItem(TOKEN, token);
      return Boolean(token);
    })
    .finally(() => {
      asking = undefined;
    });
  return asking;
}

/**
 * Calls the receiver; asks for the token where it wants one.
 * @param {string} method
 * @param {string} path
 * @param {{ json?: unknown, form?: FormData, onProgress?: (part: number) => void }} [options]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, { json, form, onProgress } = {}) {
  const body = form ?? (json === undefined ? null : JSON.stringify(json));
  for (;;) {
    const used = sessionStorage.getItem(TOKEN);
    const answer = await send(method, path, body, onProgress);
    if (answer.status !== 401) return answer;
    // Another call may have been told the token meanwhile.
    if (sessionStorage.getItem(TOKEN) === used && !(await askToken())) return answer;
  }
}

/**
 * Whether the call did what it was asked to.
 * @param {Answer} answer
 */
export function isDone({ status }) {
  return status >= 200 && status < 300;
}

/**
 * Whether the same call may come to something else the next time.
 * @param {Answer} answer
 */
export function mayPass({ status }) {
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/**
 * What went wrong, and what to do.
 * @param {Answer} answer
 */
export function explain({ status, body }) {
  const said = body?.error?.message;
  if (status === 0)
    return `The receiver at ${receiverAddress()} does not answer. Is it running, and may this page call it (ALLOWED_ORIGINS)?`;
  if (status === 401) return 'It needs the API token.';
  if (status === 403) return said ? `Refused: ${said}` : 'The receiver refuses calls from this page (ALLOWED_ORIGINS).';
  if (status === 404) return 'It is gone already.';
  if (status === 413) return 'It is too large.';
  if (status === 503) return `${said ? capital(said) : 'The receiver cannot do it right now'}. Try again in a moment.`;
  return said ? `${capital(said)}.` : `The receiver answered ${status}.`;
}

/** @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '');
}
