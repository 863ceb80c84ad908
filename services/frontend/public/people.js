import { ask } from './dialogs.js';
import { parseElement, revealScripted } from './dom.js';
import { faultOf, takeChosen, takeDrops } from './drop.js';
import { createFileLine } from './file-line.js';
import { call, capital, explain, isDone, mayPass } from './receiver.js';

/** @param {string} text */
function say(text) {
  const line = document.querySelector('[data-enrol] [data-said]');
  if (line) line.textContent = text;
}

/**
 * Puts a person's card as it is now in its place, or on top where it is new.
 * @param {number} id
 */
async function showCard(id) {
  const response = await fetch(`/people/${id}/card`);
  const card = response.ok ? parseElement(await response.text()) : null;
  const old = document.getElementById(`person-${id}`);
  if (!card) return old?.remove();
  revealScripted(card);
  if (old) old.replaceWith(card);
  else document.querySelector('[data-cards]')?.prepend(card);
  document.querySelector('[data-empty]')?.remove();
  takeDrops(card, card, (files) => void enrol(card.dataset.name ?? '', files));
}

/**
 * What the receiver said of one photo.
 * @param {ReturnType<typeof createFileLine>} line
 * @param {{ status: number, body: any }} answer
 * @param {string} name
 */
function showVerdict(line, answer, name) {
  const item = answer.body?.images?.[0];
  const near = item?.near?.person?.name;
  if (item?.status === 'already_enrolled') return line.say('calm', `${name} has this photo already.`);
  if (item?.status === 'enrolled') {
    return near
      ? line.say('wait', `Enrolled. But it looks like ${near}, too: is it the right person?`)
      : line.say('good', `Enrolled: ${name} is known by this photo now.`);
  }
  return line.say('bad', item?.error?.message ? `Not taken: ${item.error.message.replace(/\.$/, '')}.` : explain(answer));
}

/**
 * Enrols one photo after the other, so that each has its verdict as soon as it can.
 * @param {string} name
 * @param {File[]} files
 */
async function enrol(name, files) {
  const list = document.querySelector('[data-enrol] [data-uploads]');
  const lines = files.map((file) => ({ file, line: createFileLine(file) }));
  list?.prepend(...lines.map(({ line }) => line.line));
  for (const { file, line } of lines) {
    const fault = faultOf(file);
    if (fault) line.say('bad', fault);
    else await enrolOne(name, file, line);
  }
}

/**
 * @param {string} name
 * @param {File} file
 * @param {ReturnType<typeof createFileLine>} line
 */
async function enrolOne(name, file, line) {
  const form = new FormData();
  form.append('name', name);
  form.append('image', file);
  const answer = await call('POST', '/people', { form, onProgress: line.progress });
  showVerdict(line, answer, name);
  if (mayPass(answer)) line.offerRetry(() => void enrolOne(name, file, line));
  const id = answer.body?.person?.id;
  if (id) await showCard(id);
}

/** @param {HTMLElement} card */
async function rename(card) {
  const { person, name = '' } = card.dataset;
  const wanted = await ask({ title: `Rename ${name}`, field: { label: 'New name', value: name }, yes: 'Rename' });
  if (!wanted || wanted === name) return;
  const answer = await call('PATCH', `/people/${person}`, { json: { name: wanted } });
  if (isDone(answer)) await showCard(Number(person));
  else await tell(`${name} keeps the name`, explain(answer));
}

/** @param {HTMLElement} card */
async function erase(card) {
  const { person, name = '', known, appearances } = card.dataset;
  const yes = await ask({
    title: `Erase ${name}?`,
    text: ['This cannot be undone. What goes:'],
    list: [
      `the name “${name}”`,
      `${known}, with the files and their descriptors`,
      `the name on ${appearances}, which stay in the table as unknown`,
    ],
    yes: `Erase ${name}`,
    isDangerous: true,
  });
  if (!yes) return;
  const answer = await call('DELETE', `/people/${person}`);
  if (isDone(answer) || answer.status === 404) {
    card.remove();
    say(`${name} is erased.`);
  } else await tell(`${name} is not erased`, explain(answer));
}

/**
 * @param {string} title
 * @param {string} text
 */
function tell(title, text) {
  return ask({ title, text: [capital(text)], yes: 'All right' });
}

/** The form that enrols people, and the buttons of their cards. */
export function startPeople() {
  const form = document.querySelector('[data-enrol]');
  if (!(form instanceof HTMLFormElement)) return;
  const name = form.elements.namedItem('name');
  const drop = form.querySelector('[data-drop]');
  const input = form.querySelector('input[type=file]');
  if (!(name instanceof HTMLInputElement && drop instanceof HTMLElement && input instanceof HTMLInputElement)) return;

  /** @type {File[]} files that came before the name */
  let early = [];
  /** @param {File[]} files */
  const take = (files) => {
    const given = name.value.trim();
    if (given) {
      say('');
      return void enrol(given, files);
    }
    early = files;
    say(`Who is on ${files.length === 1 ? 'this photo' : `these ${files.length} photos`}? Enter the name and press Enter.`);
    return name.focus();
  };
  takeDrops(document, drop, take);
  takeChosen(input, take);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const files = early;
    early = [];
    if (files.length > 0) take(files);
    else say('Now drop or choose photos of this person.');
  });

  for (const card of document.querySelectorAll('[data-person]')) {
    if (card instanceof HTMLElement) takeDrops(card, card, (files) => void enrol(card.dataset.name ?? '', files));
  }
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null;
    const card = button?.closest('[data-person]');
    if (!button || !(card instanceof HTMLElement)) return;
    if ('rename' in button.dataset) void rename(card);
    if ('erasePerson' in button.dataset) void erase(card);
    if ('addTo' in button.dataset) {
      name.value = card.dataset.name ?? '';
      say(`Now drop or choose more photos of ${name.value}.`);
      form.scrollIntoView({ block: 'nearest' });
      input.click();
    }
  });
}
