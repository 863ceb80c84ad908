/**
 * `npm run test:cluster -- [--short] [--load 'COMMAND'] [--no-build] [--only WORD,WORD] [--report FILE]` tries the whole system on the
 * cluster that kubectl points at, in a namespace of its own that is removed at the end. `--load` is what brings local images into
 * the cluster (known for minikube and kind); `--host` is where its node ports answer, 127.0.0.1 unless said otherwise.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { applySteps } from './apply.ts';
import { autoscalingSteps } from './autoscaling.ts';
import type { Context, Step } from './context.ts';
import { faultSteps } from './faults.ts';
import { provideImages } from './images.ts';
import { journeySteps } from './journey.ts';
import { run, secondsSince } from './kubectl.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { scalingSteps } from './scaling.ts';
import { updateSteps } from './updates.ts';

const TAGS = { first: 'test-1', second: 'test-2' };
const STEPS: Step[] = [
  ...applySteps,
  ...journeySteps,
  ...applySteps.slice(1),
  ...updateSteps,
  ...scalingSteps,
  ...autoscalingSteps,
  ...faultSteps,
];

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    load: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    only: { type: 'string' },
    report: { type: 'string' },
  },
});

/** What whoever looks into a failure wants first. */
async function tellState({ kubectl }: Context): Promise<void> {
  for (const args of [
    ['get', 'pods', '--output=wide'],
    ['get', 'events', '--field-selector=type!=Normal', '--sort-by=.lastTimestamp'],
  ]) {
    const { stdout } = await run('kubectl', ['--namespace', kubectl.namespace, ...args]);
    console.log(
      stdout
        .trim()
        .split('\n')
        .slice(-25)
        .map((line) => `      ${line}`)
        .join('\n'),
    );
  }
}

function causes(error: unknown): string {
  const causeOf = error instanceof Error && error.cause !== undefined ? `; ${causes(error.cause)}` : '';
  return `${error instanceof Error ? error.message : String(error)}${causeOf}`;
}

/** Runs the steps in order. Without the first one, nothing that follows makes sense. */
async function runSteps(steps: Step[], context: Context): Promise<{ passed: number; failed: number }> {
  let [passed, failed] = [0, 0];
  for (const [index, step] of steps.entries()) {
    const startedMs = Date.now();
    try {
      console.log(`ok    ${step.name}: ${await step.run(context)}`);
      passed += 1;
    } catch (error) {
      console.log(`FAIL  ${step.name} (${secondsSince(startedMs)}): ${causes(error)}`);
      failed += 1;
      await tellState(context);
      if (index === 0) return { passed, failed: steps.length };
    }
  }
  return { passed, failed };
}

async function main(): Promise<number> {
  const { code, stderr } = await run('kubectl', ['version', '--request-timeout=10s']);
  if (code !== 0) {
    console.error(`kubectl reaches no cluster: ${stderr.trim().split('\n').at(-1)}`);
    return 1;
  }
  const startedMs = Date.now();
  if (!options['no-build']) await provideImages(TAGS, options.load);

  let sandbox: Sandbox | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void (sandbox?.remove() ?? Promise.resolve()).finally(() => process.exit(1)));
  }
  try {
    sandbox = await createSandbox(TAGS.first);
    const { kubectl, receiverPort, frontendPort } = sandbox;
    console.log(`namespace ${kubectl.namespace}, node ports ${receiverPort} (receiver) and ${frontendPort} (frontend)`);
    const context: Context = {
      sandbox,
      kubectl,
      tags: TAGS,
      receiverUrl: `http://${options.host}:${receiverPort}`,
      frontendUrl: `http://${options.host}:${frontendPort}`,
    };
    const { only, short, report } = options;
    const steps = STEPS.filter(
      (step, index) =>
        (short ? step.inShort : true) &&
        (only === undefined || index === 0 || only.split(',').some((word) => step.name.includes(word))),
    );
    const { passed, failed } = await runSteps(steps, context);
    if (report !== undefined) writeFileSync(report, JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
    console.log(`\nin ${secondsSince(startedMs)}\n${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await sandbox?.remove();
  }
}

process.exitCode = await main();
