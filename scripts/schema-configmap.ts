/**
 * `node scripts/schema-configmap.ts` writes kube_files/mysql_schema.yaml from db/schema.sql: what a new MySQL runs from its
 * init folder. A test compares the two.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const SCHEMA = new URL('../db/schema.sql', import.meta.url);
const CONFIG_MAP = new URL('../kube_files/mysql_schema.yaml', import.meta.url);

/** The ConfigMap's text for a schema's text. */
export function schemaConfigMap(schema: string): string {
  const lines = schema.trimEnd().split('\n');
  return `# Made from db/schema.sql by \`node scripts/schema-configmap.ts\`; do not edit.
apiVersion: v1
kind: ConfigMap
metadata:
  name: mysql-schema
data:
  20-schema.sql: |
${lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n')}
`;
}

if (import.meta.main) writeFileSync(CONFIG_MAP, schemaConfigMap(readFileSync(SCHEMA, 'utf8')));
