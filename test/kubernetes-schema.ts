const OPERATOR = 'monitoring.coreos.com/v1';

/**
 * Kubernetes' own schemas, and those of the Prometheus operator, as packages compile them to functions. They let unknown
 * fields pass, as JSON Schema does, and a misspelt field is the commonest fault of a manifest; so the object is handed over
 * behind proxies that note what the function reads: a field that it never asks for is one that Kubernetes does not know.
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
  const unread = new Set<string>();
  const seen = watched(object, '', unread);
  const wrong = object.apiVersion === OPERATOR ? await operatorFaults(object.kind, seen) : await ownFaults(object, seen);
  return [...wrong, ...[...unread].map((path) => `${path}: unknown field`)];
}

async function ownFaults({ apiVersion, kind }: { apiVersion: string; kind: string }, seen: unknown): Promise<string[]> {
  const { validate } = (await import(`kubernetes-models/_schemas/${schemaName(apiVersion, kind)}`)) as { validate: Validate };
  if (validate(seen)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, keyword, params }) => `${instancePath || '/'}: ${keyword} ${JSON.stringify(params)}`,
  );
}

/** Its package keeps the functions to itself; they look at whatever their method is called on. */
async function operatorFaults(kind: string, seen: unknown): Promise<string[]> {
  const models: Record<string, { prototype: { validate(): void } }> = await import(
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
  );
  try {
    models[kind]?.prototype.validate.call(seen);
    return models[kind] ? [] : [`there is no ${kind}`];
  } catch (error) {
    return [String(error)];
  }
}
