type Json = Record<string, unknown>;

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1a1a1a; background: #fff }
  code, pre { font: 14px/1.4 ui-monospace, monospace; background: #f2f2f2; border-radius: 4px; padding: 1px 4px }
  pre { padding: .75rem; overflow: auto } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd }
  .method { display: inline-block; min-width: 4.5rem; font-weight: 700; text-transform: uppercase }
  table { border-collapse: collapse; width: 100% } td, th { border: 1px solid #ddd; padding: 4px 8px; text-align: left; vertical-align: top }
  details { margin: .5rem 0 } summary { cursor: pointer }
  @media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616 } code, pre { background: #2a2a2a } td, th, h2 { border-color: #444 } }`;

const escaped = (text: unknown): string => String(text).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const pretty = (value: unknown): string => `<pre>${escaped(JSON.stringify(value, null, 2))}</pre>`;
const entries = (value: unknown): [string, Json][] => Object.entries((value ?? {}) as Record<string, Json>);

/** The description as a page: no script, nothing from elsewhere. */
export function docsPage(description: Json): string {
  const { title, description: about } = description.info as Json;
  const { schemas } = description.components as Json;
  const operations = entries(description.paths).flatMap(([path, methods]) =>
    entries(methods).map(([method, operation]) => operationSection(method, path, operation)),
  );
  const components = entries(schemas).map(
    ([name, schema]) =>
      `<details id="${escaped(name)}"><summary><code>${escaped(name)}</code></summary>${pretty(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><h1>${escaped(title)}</h1><p>${escaped(about)} For programs: <a href="/openapi.json">openapi.json</a>.</p>
${operations.join('\n')}
<h2>Schemas</h2>
${components.join('\n')}
</body></html>
`;
}

function operationSection(method: string, path: string, { summary, parameters, requestBody, responses }: Json): string {
  const rows = ((parameters ?? []) as Json[]).map(
    ({ name, in: place, required, schema, description }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>${escaped(place)}${required ? ', required' : ''}</td><td><code>${escaped(
        JSON.stringify(schema),
      )}</code> ${escaped(description ?? '')}</td></tr>`,
  );
  const bodies = entries((requestBody as Json | undefined)?.content).map(
    ([type, { schema }]) => `<details open><summary>Body, <code>${escaped(type)}</code></summary>${schemaOf(schema)}</details>`,
  );
  const answers = entries(responses).map(([status, response]) => {
    const contents = entries(response.content).map(
      ([type, { schema }]) => `<div><code>${escaped(type)}</code> ${schemaOf(schema)}</div>`,
    );
    return `<tr><td>${escaped(status)}</td><td>${escaped(response.description)}${contents.join('')}</td></tr>`;
  });
  return `<section><h2><span class="method">${escaped(method)}</span> <code>${escaped(path)}</code></h2><p>${escaped(summary)}</p>
${rows.length > 0 ? `<table>${rows.join('')}</table>` : ''}${bodies.join('')}
<details><summary>Answers</summary><table>${answers.join('')}</table></details></section>`;
}

function schemaOf(schema: unknown): string {
  const reference = (schema as Json | undefined)?.$ref;
  if (typeof reference !== 'string') return pretty(schema);
  const name = reference.split('/').at(-1);
  return `<a href="#${escaped(name)}">${escaped(name)}</a>`;
}
