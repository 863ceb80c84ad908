/** A square of a sample photo, in pixels, with one face in it. */
export type Crop = { photo: string; left: number; top: number; size: number };

/** Who is enrolled; everybody else on the photos stays a stranger. The names are made up. */
export const PEOPLE: readonly { name: string; crops: readonly Crop[] }[] = [
  { name: 'Clara', crops: [{ photo: 'sample3.jpg', left: 935, top: 135, size: 480 }] },
];

export const PHOTOS = ['sample1.jpg', 'sample2.jpg', 'sample3.jpg', 'sample4.jpg', 'sample5.jpg', 'sample6.jpg'] as const;
