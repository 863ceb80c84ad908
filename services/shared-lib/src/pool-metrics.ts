import { Gauge, METRIC_PREFIX, type Registry } from './metrics.ts';
import type { Database } from './mysql.ts';

/** How much of a process's connections to MySQL is in use; read when somebody looks. */
export function watchPool(registry: Registry, { use }: Pick<Database, 'use'>): void {
  const gauges = [
    ['mysql_connections_busy', 'Connections to MySQL that run a statement or a transaction.', () => use.busy],
    ['mysql_connections_limit', 'Connections to MySQL that this process may have.', () => use.limit],
    ['mysql_waiting', 'Statements that wait for a connection to MySQL.', () => use.waiting],
  ] as const;
  for (const [name, help, read] of gauges) {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}
