import { expect, test } from 'vitest';
import { renderPage } from '../src/pages/layout.ts';
import { type PhotoView, photoPage } from '../src/pages/photo-page.ts';
import { candidate, failed, fakeFace, later, matched } from './fakes.ts';

const site = { asset: (name: string) => `/assets/v/${name}`, receiverUrl: ':8000' };

function render(change: Partial<PhotoView> = {}): string {
  const view: PhotoView = {
    photo: matched(),
    faces: [fakeFace({ person: { id: 3, name: 'Hannibal' }, candidates: [candidate('Hannibal', 0.41)] }), fakeFace({ id: 71 })],
    attempts: [],
    size: { width: 400, height: 200 },
    threshold: 0.535,
    people: [{ id: 3, name: 'Hannibal' }],
    ...change,
  };
  return renderPage(photoPage(view), site);
}

test('every face has a box and a name on the picture, in percent of it', () => {
  const page = render();
  expect(page).toContain('<rect x="25.00%" y="25.00%" width="10.00%" height="25.00%"');
  expect(page).toContain('1 Hannibal</text>');
  expect(page).toContain('2 Unknown</text>');
  expect(page).toContain('src="/known/30/thumb"');
});

test('a photo without a picture still tells everything else, and what to do', () => {
  const page = render({ photo: failed(), faces: [], size: undefined });
  expect(page).not.toContain('<img');
  expect(page).toContain('Put the file into the photo folder under this path, then retry.');
});

test('a person who is not among the first to choose from can be kept', () => {
  expect(render({ people: [] })).toContain('<option value="3" selected>Hannibal</option>');
});

test('earlier attempts are told once each, and the last one not twice', () => {
  const attempts = [
    { owner: 'p-1', startedAt: later(1_000), finishedAt: later(1_241), outcome: 'match', detail: null },
    { owner: 'p-2', startedAt: later(0), finishedAt: later(500), outcome: 'timeout', detail: 'no answer' },
  ];
  const history = render({ attempts }).split('class="history"')[1] ?? '';
  expect(history.match(/Recognised/g)).toHaveLength(1);
  expect(history).toContain('Face recognition took too long');
  expect(history).toContain('by p-2');
});
