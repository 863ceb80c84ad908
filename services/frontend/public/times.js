// Times come as UTC; here they get the viewer's own zone.

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/**
 * @param {Date} moment
 * @param {Date} now
 */
export function formatMoment(moment, now) {
  if (moment.toDateString() === now.toDateString()) return clock.format(moment);
  const date = moment.getFullYear() === now.getFullYear() ? day : dayAndYear;
  return `${date.format(moment)}, ${clock.format(moment)}`;
}

/**
 * Rewrites every `<time>` under `root` that has not been yet.
 * @param {ParentNode} root
 */
export function localiseTimes(root) {
  for (const element of root.querySelectorAll('time[datetime]:not([title])')) {
    const moment = new Date(element.getAttribute('datetime') ?? '');
    if (Number.isNaN(moment.getTime())) continue;
    element.textContent = formatMoment(moment, new Date());
    element.setAttribute('title', exact.format(moment));
  }
}
