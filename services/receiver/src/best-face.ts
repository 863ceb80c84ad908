import { ImageStatus, NOBODY } from '@kube-face/shared-lib/image-status';
import type { Statements } from '@kube-face/shared-lib/mysql';

// The person of a photo is the one that a hand has set, else the person of its best face: of those that somebody was
// recognised on, the one with the smallest distance. The image processor decides alike.
const RECOMPUTE = `
  update images left join (
    select image, person, distance from (
      select image, person, case when corrected = 1 then null else distance end as distance,
        row_number() over (partition by image order by corrected desc, distance is null, distance, position) as place
      from faces where image in (?) and person <> ${NOBODY}
    ) as matched where place = 1
  ) as best on best.image = images.id
  set images.person = coalesce(best.person, ${NOBODY}), images.distance = best.distance,
    images.outcome = case when best.person is not null then 'match' when images.face_count = 0 then 'no_face' else 'unknown' end
  where images.id in (?) and images.status = ${ImageStatus.Processed}`;

/** Gives processed photos, whose faces have changed, the person of their best face. */
export async function recomputePersons(statements: Pick<Statements, 'query'>, images: readonly number[]): Promise<void> {
  if (images.length > 0) await statements.query(RECOMPUTE, [images, images]);
}
