import { expect, test } from 'vitest';
import { html } from '../src/html.ts';

test('escapes whatever is put between tags and into attributes', () => {
  const hostile = `</b><script>alert("1")</script>'&\``;
  expect(html`<b title="${hostile}">${hostile}</b>`.toString()).toBe(
    '<b title="&lt;/b&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;&#96;">' +
      '&lt;/b&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;&#96;</b>',
  );
});

test('leaves what it made itself alone, joins lists, and leaves nothing for nothing', () => {
  const items = ['<1>', 2, undefined, null].map((item) => item !== null && html`<li>${item}</li>`);
  expect(html`<ul>${items}</ul>${0}`.toString()).toBe('<ul><li>&lt;1&gt;</li><li>2</li><li></li></ul>0');
});

test('text that only looks like the result of a template is escaped, too', () => {
  const lookalike = { toString: () => '<b>' }.toString();
  expect(html`${lookalike}`.toString()).toBe('&lt;b&gt;');
});
