import { element } from './dom.js';
import { faultOf, takeChosen, takeDrops } from './drop.js';
import { createFileLine } from './file-line.js';
import { call, capital, explain, mayPass } from './receiver.js';

const AT_A_TIME = 3;

/** Lines that wait for their photo's result, by id. */
/** @type {Map<number, ReturnType<typeof createFileLine>[]>} */
const waiting = new Map();

/**
 * Tells the lines of a photo what became of it.
 * @param {HTMLElement} row
 */
export function reportRow(row) {
  const id = Number(row.dataset.id);
  const { status } = row.dataset;
  const lines = waiting.get(id);
  if (!lines || (status !== 'processed' && status !== 'failed')) return;
  const person = row.querySelector('td.person a')?.textContent;
  const reason = row.querySelector('td.status .sub')?.textContent ?? '';
  for (const line of lines) {
    line.say(status === 'failed' ? 'bad' : person ? 'good' : 'calm', photoLink(id), ': ', person ?? reason);
  }
  waiting.delete(id);
}

/** @param {number} id */
function photoLink(id) {
  return element('a', { href: `/photos/${id}` }, `Photo ${id}`);
}

/**
 * @param {File} file
 * @param {ReturnType<typeof createFileLine>} line
 */
async function upload(file, line) {
  const form = new FormData();
  form.append('image', file);
  const answer = await call('POST', '/image/upload', { form, onProgress: line.progress });
  const item = answer.body?.images?.[0];
  if (item?.id === undefined) {
    const reason = item?.error?.message ? `${capital(item.error.message)}.` : explain(answer);
    line.say('bad', reason);
    if (mayPass(answer)) line.offerRetry(() => enqueue(file, line));
    return;
  }
  if (item.duplicate) {
    line.say('calm', 'Posted before, as ', photoLink(item.id));
    return;
  }
  line.say(
    'wait',
    photoLink(item.id),
    item.queued === false ? ': saved, and queued as soon as the queue is back' : ': waiting for its turn',
  );
  waiting.set(item.id, [...(waiting.get(item.id) ?? []), line]);
  const row = document.getElementById(`photo-${item.id}`);
  if (row) reportRow(row);
}

/** @type {(() => Promise<void>)[]} */
const queue = [];
let running = 0;

/**
 * @param {File} file
 * @param {ReturnType<typeof createFileLine>} line
 */
function enqueue(file, line) {
  queue.push(() => upload(file, line));
  void work();
}

async function work() {
  if (running === AT_A_TIME) return;
  const next = queue.shift();
  if (!next) return;
  running += 1;
  await next();
  running -= 1;
  void work();
}

/** Posts photos that are dropped anywhere onto the page. */
export function startUploads() {
  const section = document.querySelector('[data-upload]');
  const drop = section?.querySelector('[data-drop]');
  const list = section?.querySelector('[data-uploads]');
  const input = section?.querySelector('input[type=file]');
  if (!(drop instanceof HTMLElement && list && input instanceof HTMLInputElement)) return;

  /** @param {File[]} files */
  const post = (files) => {
    for (const file of files) {
      const line = createFileLine(file);
      list.prepend(line.line);
      const fault = faultOf(file);
      if (fault) line.say('bad', fault);
      else enqueue(file, line);
    }
  };
  takeDrops(document, drop, post);
  takeChosen(input, post);
}
