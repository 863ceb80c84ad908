/**
 * `npm run images -- TAG [--slim]` builds the four images with the local Docker. `--slim` also builds face-recognition on
 * Debian, with the native runtime. IMAGES_NETWORK=host lets the build steps use the host's network; the file of
 * NODE_EXTRA_CA_CERTS goes in as a build secret, which leaves no trace in the images.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Build = { service: string; image: string; base?: string };

function imagesOf(tag: string, slim: boolean): Build[] {
  const builds: Build[] = ['receiver', 'image-processor', 'face-recognition', 'frontend'].map((service) => ({
    service,
    image: `kube-face/${service}:${tag}`,
  }));
  if (slim) {
    builds.push({
      service: 'face-recognition',
      image: `kube-face/face-recognition:${tag}-slim`,
      base: 'node:24-bookworm-slim',
    });
  }
  return builds;
}

function revision(): string {
  const { stdout, status } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}

function dockerArgs({ service, image, base }: Build, tag: string): string[] {
  const args = ['build', '--file=docker/Dockerfile', `--target=${service}`, `--tag=${image}`];
  const buildArgs = { SERVICE: service, TAG: tag, REVISION: revision(), ...(base && { BASE: base }) };
  for (const [name, value] of Object.entries(buildArgs)) args.push(`--build-arg=${name}=${value}`);
  if (process.env.IMAGES_NETWORK) args.push(`--network=${process.env.IMAGES_NETWORK}`);
  if (process.env.NODE_EXTRA_CA_CERTS) args.push(`--secret=id=ca,src=${process.env.NODE_EXTRA_CA_CERTS}`);
  return [...args, '.'];
}

function main(): number {
  const { values, positionals } = parseArgs({ options: { slim: { type: 'boolean', default: false } }, allowPositionals: true });
  const [tag] = positionals;
  if (positionals.length !== 1 || tag === undefined || !/^\w[\w.-]{0,120}$/.test(tag) || tag === 'latest') {
    console.error(
      'usage: npm run images -- TAG [--slim]     (a tag such as v1.0; never latest, which no rollout can tell apart)',
    );
    return 2;
  }
  for (const build of imagesOf(tag, values.slim)) {
    const startedMs = Date.now();
    console.log(`${build.image}: building`);
    const { status, error } = spawnSync('docker', dockerArgs(build, tag), {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, DOCKER_BUILDKIT: '1' },
    });
    if (error || status !== 0) {
      console.error(`${build.image}: not built${error ? `: docker cannot be run (${error.message})` : ''}`);
      return 1;
    }
    const bytes = Number(execFileSync('docker', ['image', 'inspect', '--format={{.Size}}', build.image], { encoding: 'utf8' }));
    console.log(`${build.image}: ${Math.round(bytes / 1e6)} MB, ${Math.round((Date.now() - startedMs) / 1000)} s`);
  }
  return 0;
}

process.exitCode = main();
