import { type Html, type HtmlValue, html } from '../html.ts';

export type Site = Readonly<{
  asset: (name: string) => string;
  /** As configured: an address, or `:port` that the script completes. */
  receiverUrl: string;
}>;

export type Page = Readonly<{
  title: string;
  section?: 'photos' | 'people';
  /** The stylesheet beside base.css. */
  style?: string;
  /** Seconds until the page loads itself again. */
  refreshSeconds?: number;
  main: HtmlValue;
}>;

const MARK = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
  <path d="M3 11V6a3 3 0 0 1 3-3h5M21 3h5a3 3 0 0 1 3 3v5M29 21v5a3 3 0 0 1-3 3h-5M11 29H6a3 3 0 0 1-3-3v-5" />
  <circle cx="12" cy="13" r="1.6" /><circle cx="20" cy="13" r="1.6" /><path d="M11 19.5c2.8 3 7.2 3 10 0" />
</svg>`;

function link(address: string, text: string, isCurrent: boolean): Html {
  return html`<a href="${address}"${isCurrent && html` aria-current="page"`}>${text}</a>`;
}

/** A whole document around a page's main part. */
export function renderPage({ title, section, style, refreshSeconds, main }: Page, site: Site): string {
  return `<!doctype html>\n${html`<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · kube-face</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds && html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<link rel="icon" href="${site.asset('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${site.asset('base.css')}">
${style && html`<link rel="stylesheet" href="${site.asset(style)}">`}
<script type="module" src="${site.asset('app.js')}"></script>
</head>
<body data-receiver="${site.receiverUrl}">
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
  <a class="brand" href="/">${MARK}<span>kube-face</span></a>
  <nav aria-label="Sections">${link('/', 'Photos', section === 'photos')}${link('/people', 'People', section === 'people')}</nav>
  <p class="live" data-live hidden></p>
</header>
<main id="main" tabindex="-1">${main}</main>
</body>
</html>`}\n`;
}
