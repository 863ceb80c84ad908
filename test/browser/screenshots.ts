import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { CHECKOUT } from '../../scripts/system/state.ts';

const FOLDER = join(CHECKOUT, 'docs/screenshots');

/** Keeps what the page looks like for the documentation, when the tests are run with KUBE_FACE_SCREENSHOTS=1. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  if (process.env.KUBE_FACE_SCREENSHOTS !== '1') return;
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}
