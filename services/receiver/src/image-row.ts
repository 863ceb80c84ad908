import type { RowDataPacket } from '@kube-face/shared-lib/mysql';

export const IMAGE_COLUMNS = 'id, path, person, status, outcome, detail, attempts, created_at, updated_at, finished_at';

export type ImageRow = RowDataPacket & {
  id: number;
  path: string;
  person: number | null;
  status: number;
  outcome: string | null;
  detail: string | null;
  attempts: number;
  created_at: Date;
  updated_at: Date;
  finished_at: Date | null;
};
