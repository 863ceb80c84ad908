import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { inject, test } from 'vitest';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A test that needs the browser; skipped on a machine that has none, as the run's first lines say. */
export const browserTest = test.runIf(inject('browser') !== '');

/** A page, and what went wrong on it: script errors, console errors, and requests to anywhere but our services. */
export type Watched = { page: Page; faults: string[] };

export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = inject('browser');
  return executablePath ? chromium.launch({ executablePath, args: ARGS, headless: true }) : undefined;
}

/** A page of its own session. Its zone is not UTC and its language British, so that what the script formats can be told. */
export async function openPage(browser: Browser | undefined, options: BrowserContextOptions = {}): Promise<Watched> {
  if (!browser) throw new Error('there is no browser');
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'Asia/Tokyo',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1' && protocol !== 'data:') faults.push(`request to ${request.url()}`);
  });
  return { page, faults };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with the page as it is, one line for each element. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

export type DroppedFile = { name: string; type: string; bytes: Buffer };

/** A small photo of nothing; another one for each colour. */
export async function redPhoto(red: number): Promise<DroppedFile> {
  const create = { width: 64, height: 64, channels: 3, background: { r: red, g: 0, b: 0 } } as const;
  return { name: `red-${red}.png`, type: 'image/png', bytes: await sharp({ create }).png().toBuffer() };
}

/** Drags files over an element and drops them, as a browser tells it. */
export async function dropFiles(page: Page, selector: string, files: readonly DroppedFile[]): Promise<void> {
  const sent = files.map(({ name, type, bytes }) => ({ name, type, base64: bytes.toString('base64') }));
  await page
    .locator(selector)
    .first()
    .evaluate((target, given) => {
      const data = new DataTransfer();
      for (const { name, type, base64 } of given) {
        data.items.add(new File([Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))], name, { type }));
      }
      for (const event of ['dragenter', 'dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }));
      }
    }, sent);
}

/** Whether nothing of the page lies outside the window to the side. */
export function fitsInWidth(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
}
