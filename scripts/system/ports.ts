import { choosePorts, type PortChoice } from '../parts/ports.ts';

const USUAL = {
  receiver: 8000,
  frontend: 8081,
  grpc: 50_051,
  receiverMetrics: 9100,
  imageProcessorMetrics: 9101,
  faceRecognitionMetrics: 9102,
  frontendMetrics: 9103,
  nsqdTcp: 4150,
  nsqdHttp: 4151,
  lookupTcp: 4160,
  lookupHttp: 4161,
  mysql: 3306,
};

export type PortName = keyof typeof USUAL;
export type SystemPorts = Record<PortName, number>;

/** The usual ports (of the two that a user meets, whichever the variable names) where they are free, and what had to differ. */
export async function systemPorts(
  env: NodeJS.ProcessEnv,
): Promise<{ ports: SystemPorts; moved: Partial<Record<PortName, PortChoice>> }> {
  const asked = { receiver: portOf(env.RECEIVER_PORT), frontend: portOf(env.FRONTEND_PORT) };
  const choices = await choosePorts<PortName>({
    ...USUAL,
    receiver: asked.receiver ?? USUAL.receiver,
    frontend: asked.frontend ?? USUAL.frontend,
  });
  const entries = Object.entries(choices) as [PortName, PortChoice][];
  return {
    ports: Object.fromEntries(entries.map(([name, { port }]) => [name, port])) as SystemPorts,
    moved: Object.fromEntries(entries.filter(([, { port, wanted }]) => port !== wanted)),
  };
}

function portOf(text: string | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_436 ? port : undefined;
}
