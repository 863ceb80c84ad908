import type { Page } from 'playwright-core';

/** Ids of the rows that a page of photos shows, from above. */
export const shownIds = (page: Page) =>
  page.locator('tr[data-id]').evaluateAll((rows) => rows.map((row) => Number(row.dataset.id)));

/** Whole numbers from the greater one down to the other. */
export const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);
