import { html } from '../html.ts';
import type { Page } from './layout.ts';

/** A page that says what is wrong and what to do. */
function errorPage(title: string, message: string, refreshSeconds?: number): Page {
  return {
    title,
    refreshSeconds,
    main: html`<section class="notice"><h1>${title}</h1><p>${message}</p><p><a class="button" href="/">Show all photos</a></p></section>`,
  };
}

export const notFoundPage = (what: string): Page =>
  errorPage('Not found', `${what} It may have been erased, or the address has a mistake.`);

export const badAddressPage = (sentence: string): Page =>
  errorPage('This address has a mistake', `${sentence} Choose again from the page instead.`);

export const AWAY_REFRESH_SECONDS = 5;

export const databaseAwayPage = (): Page => ({
  title: 'The database is away',
  refreshSeconds: AWAY_REFRESH_SECONDS,
  main: html`<section class="notice"><h1>The database is away</h1>
<p>Nothing is lost: photos wait where they are. This page tries again by itself every few seconds.</p>
<p>Where it stays like this, see whether MySQL runs and whether <code>MYSQL_CONNECTION</code>, <code>MYSQL_PORT</code> and
<code>MYSQL_USERPASSWORD</code> of this service are right.</p>
<p><a class="button" href="">Try again now</a></p></section>`,
});

export const brokenPage = (): Page =>
  errorPage(
    'Something went wrong',
    'The page could not be made. Try again; where it happens once more, the log of the frontend says why.',
  );
