/**
 * `node scripts/mysql-init.ts` writes kube_files/mysql_init.yaml: what a new MySQL runs from its init folder, the account of
 * docker/mysql-account.sh and the schema of db/schema.sql. A test compares the three.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const CONFIG_MAP = new URL('../kube_files/mysql_init.yaml', import.meta.url);
const PARTS = { '10-account.sh': '../docker/mysql-account.sh', '20-schema.sql': '../db/schema.sql' };

const indented = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');

/** The ConfigMap as it should be by the files that it is made of. */
export function mysqlInit(): string {
  const entries = Object.entries(PARTS).map(([key, file]) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    return `  ${key}: |\n${indented(text)}\n`;
  });
  return `# Made from docker/mysql-account.sh and db/schema.sql by \`node scripts/mysql-init.ts\`; do not edit.
apiVersion: v1
kind: ConfigMap
metadata:
  name: mysql-init
data:
${entries.join('')}`;
}

if (import.meta.main) writeFileSync(CONFIG_MAP, mysqlInit());
