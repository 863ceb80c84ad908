// Plain JavaScript: it also runs on the machine's own Node.js, before there are dependencies.

const FIRST_MS = 2_000;
const EVERY_MS = 10_000;

const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Runs `work`. Whatever takes over two seconds says that it is under way, then every ten seconds, then how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @param {(line: string) => void} [print]
 * @returns {Promise<T>}
 */
export async function step(title, work, print = say) {
  const begin = Date.now();
  let told = false;
  const tell = () => {
    print(told ? `${title}: ${seconds(Date.now() - begin)} so far` : `${title} ...`);
    told = true;
    timer = setTimeout(tell, EVERY_MS);
  };
  let timer = setTimeout(tell, FIRST_MS);
  try {
    const result = await work();
    if (told) print(`${title}: done in ${seconds(Date.now() - begin)}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * One line for whoever watches.
 * @param {string} line
 */
export function say(line) {
  console.log(`kube-face  ${line}`);
}
