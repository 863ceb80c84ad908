/** A program that somebody keeps running: the system's four services, nsqd, nsqlookupd, MySQL, and what a test starts. */
export type Part = Readonly<{
  name: string;
  /** A whole path, or what PATH finds. */
  command: string;
  args: readonly string[];
  /** Lies in the checkout, or in a test's folder. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Whether it answers, asked again and again until it does. */
  isReady: () => Promise<boolean>;
  /** How long it may take to end by itself after SIGTERM. */
  graceMs: number;
  /** Takes away what is left once it has been stopped for good. */
  afterStop?: () => Promise<void>;
}>;
