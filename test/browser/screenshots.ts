import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { CHECKOUT } from '../../scripts/system/state.ts';

const FOLDER = join(CHECKOUT, 'docs/screenshots');

/** Keeps what the page looks like for the documentation, when the tests are run with KUBE_FACE_SCREENSHOTS=1. */
export async function keepScreenshot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  if (process.env.KUBE_FACE_SCREENSHOTS !== '1') return;
  mkdirSync(FOLDER, { recursive: true });
  await page.evaluate(() => {
    for (const image of document.images) image.loading = 'eager';
  });
  await page.waitForFunction(() => [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 0));
  const image = sharp(await page.screenshot(options));
  await image.png({ palette: true, quality: 85, effort: 9 }).toFile(join(FOLDER, `${name}.png`)); // a third of the size
}
