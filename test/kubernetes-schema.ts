/**
 * Kubernetes' own schemas, as the package `kubernetes-models` compiles them to functions. They let unknown fields pass, as
 * JSON Schema does, and a misspelt field is the commonest fault of a manifest; so the object is handed over behind proxies
 * that note what the function reads: a field that it never asks for is one that Kubernetes does not know.
 */
type Fault = { instancePath: string; message?: string; keyword: string; params: Record<string, unknown> };
type Validate = ((value: unknown) => boolean) & { errors?: Fault[] | null };

function schemaName(apiVersion: string, kind: string): string {
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['core', apiVersion];
  const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  return `IoK8sApi${capital(group.replace(/\..*$/, ''))}${capital(version)}${capital(kind)}`;
}

/** A stand-in for `value` that reports, by path, every field that nobody reads. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const copy = (Array.isArray(value) ? [] : {}) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) {
    const innerPath = `${path}/${key}`;
    copy[key] = watched(inner, innerPath, unread);
    unread.add(innerPath);
  }
  return new Proxy(copy, {
    get(target, key, receiver) {
      if (typeof key === 'string') unread.delete(`${path}/${key}`);
      return Reflect.get(target, key, receiver);
    },
  });
}

/** What is wrong with an object, one sentence each; empty where the API server's schema accepts it and knows every field. */
export async function schemaFaults(object: { apiVersion: string; kind: string }): Promise<string[]> {
  const name = schemaName(object.apiVersion, object.kind);
  const { validate } = (await import(`kubernetes-models/_schemas/${name}`)) as { validate: Validate };
  const unread = new Set<string>();
  const isValid = validate(watched(object, '', unread));
  const wrong = isValid
    ? []
    : (validate.errors ?? []).map((fault) => `${fault.instancePath || '/'}: ${fault.keyword} ${JSON.stringify(fault.params)}`);
  return [...wrong, ...[...unread].map((path) => `${path}: unknown field`)];
}
