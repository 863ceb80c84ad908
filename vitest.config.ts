import { defineConfig } from 'vitest/config';

const MANIFESTS = 'test/manifests*.test.ts'; // cross services, and need nothing that runs
const INTEGRATION = ['services/*/test/**/*.integration.test.ts', 'test/**/*.test.ts'];
const NEEDS_MORE = ['test/drills/**', 'test/cluster/**', 'test/browser/**']; // time, a cluster, or a browser

const TEMPORARY = 'test/harness/temp-root.ts';

// Packages of the workspace are imported from their sources, so tests need no build.
const CONDITIONS = ['source', 'node', 'import', 'module', 'default'];
const shared = {
  resolve: { conditions: CONDITIONS },
  // These become --conditions of the process that runs the tests: `import` among them would reach every `require`, too.
  ssr: { resolve: { conditions: ['source', 'node'], externalConditions: ['source', 'node'] } },
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    pool: 'forks', // programs that a test starts end with the process that started them, and threads are none
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['services/*/test/**/*.test.ts', 'scripts/**/*.test.ts', MANIFESTS],
          exclude: ['services/*/test/**/*.integration.test.ts'],
          globalSetup: TEMPORARY,
          testTimeout: 20_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: INTEGRATION,
          exclude: [...NEEDS_MORE, MANIFESTS],
          globalSetup: [TEMPORARY, 'test/harness/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: [TEMPORARY, 'test/harness/global-setup.ts', 'test/browser/find-browser.ts'],
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'drills',
          include: ['test/drills/**/*.test.ts'],
          globalSetup: [TEMPORARY, 'test/harness/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
