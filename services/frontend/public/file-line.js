import { element } from './dom.js';

/** @typedef {'wait' | 'work' | 'good' | 'calm' | 'bad'} Tone */

/**
 * A file's line in a list: its name, how far it is, and what became of it.
 * @param {File} file
 */
export function createFileLine(file) {
  const progress = element('progress', { max: '1', value: '0', 'aria-label': `Sending ${file.name}` });
  const verdict = element('span', { class: 'verdict', role: 'status' }, 'Waiting');
  const retry = element('button', { class: 'button quiet small', type: 'button', hidden: true }, 'Try again');
  const line = element('li', {}, element('span', { class: 'file' }, file.name), progress, verdict, retry);

  return {
    line,
    /** @param {number} part */
    progress(part) {
      progress.value = part;
      verdict.textContent = part < 1 ? `Sending, ${Math.round(part * 100)} %` : 'Sent, being saved';
    },
    /**
     * @param {Tone} tone
     * @param {...(Node | string)} text
     */
    say(tone, ...text) {
      progress.hidden = true;
      line.className = tone;
      verdict.replaceChildren(...text);
    },
    /** @param {() => void} again what to do when the button is pressed; without it there is none */
    offerRetry(again) {
      retry.hidden = false;
      retry.onclick = () => {
        retry.hidden = true;
        progress.hidden = false;
        progress.value = 0;
        line.className = '';
        again();
      };
    },
  };
}
