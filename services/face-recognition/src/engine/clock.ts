import type { View } from './view.ts';

export type StepClock = ReturnType<typeof startClock>;

/** Milliseconds by step: a lap goes to the step that it ends, less what was decoded meanwhile. */
export function startClock() {
  const start = performance.now();
  const timings: Record<string, number> = {};
  let last = start;

  const add = (step: string, ms: number) => {
    timings[step] = (timings[step] ?? 0) + ms;
  };

  return {
    lap(step: string): void {
      const now = performance.now();
      add(step, now - last);
      last = now;
    },
    /** The time that this view takes goes to a step of its own. */
    watch(step: string, view: View): View {
      return {
        ...view,
        async at(scale) {
          const begun = performance.now();
          const raster = await view.at(scale);
          const ms = performance.now() - begun;
          add(step, ms);
          last += ms;
          return raster;
        },
      };
    },
    done: (): Record<string, number> => ({ ...timings, total: performance.now() - start }),
  };
}
