import { randomBytes } from 'node:crypto';
import { PHOTO_KINDS, type PhotoKind } from './photo-kind.ts';

const TEMPORARY = '.upload-'; // no photo's name: nobody takes what is still being written for one
const UPLOADED = new RegExp(`^upload-[0-9a-f]{24}\\.(?:${PHOTO_KINDS.join('|')})$`);

const random = () => randomBytes(12).toString('hex');

/** A name for a photo while its bytes arrive. */
export const newTemporaryName = (): string => `${TEMPORARY}${random()}`;
export const isTemporaryName = (name: string): boolean => name.startsWith(TEMPORARY);

/** The name of an uploaded photo in the folder of unknown people. */
export const newUploadName = (kind: PhotoKind): string => `upload-${random()}.${kind}`;
export const isUploadName = (name: string): boolean => UPLOADED.test(name);

/** How a row names an uploaded photo: the folder's name for every service, wherever it is mounted. */
export const uploadPath = (name: string): string => `/unknown_people/${name}`;
