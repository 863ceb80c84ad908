import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { System } from '../harness/system.ts';
import { launchBrowser, openPage } from './browser.ts';

/**
 * A system and a browser for the tests of one file. After each test every page must be without script errors, console errors and
 * requests to elsewhere, but for the faults that the test has forgiven.
 */
export function tellStory(start: () => Promise<System>) {
  let browser: Browser | undefined;
  let system: System | undefined;
  let opened: { page: Page; faults: string[] }[] = [];
  let forgiven: RegExp[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
    if (browser) system = await start();
  });
  afterEach(async () => {
    const faults = opened.flatMap((one) => one.faults).filter((fault) => !forgiven.some((pattern) => pattern.test(fault)));
    for (const { page } of opened) await page.context().close();
    opened = [];
    forgiven = [];
    expect(faults).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  return {
    system(): System {
      if (!system) throw new Error('the system is not up');
      return system;
    },
    /** A page of a new session at an address of the frontend. */
    async open(address: string, options?: BrowserContextOptions): Promise<Page> {
      const one = await openPage(browser, options);
      opened.push(one);
      await one.page.goto(this.system().url + address);
      return one.page;
    },
    /** Faults that belong to what the test does. */
    forgive(...patterns: RegExp[]): void {
      forgiven.push(...patterns);
    },
  };
}
