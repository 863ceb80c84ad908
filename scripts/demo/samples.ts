/** A square of a sample photo, in pixels, with one face in it. */
export type Crop = { photo: string; left: number; top: number; size: number };

/** Who is enrolled, under made-up names. Alice is on sample3.jpg, too; nobody on sample2.jpg and sample5.jpg is known. */
export const PEOPLE: readonly { name: string; crops: readonly Crop[] }[] = [
  { name: 'Alice', crops: [{ photo: 'sample1.jpg', left: 1395, top: 169, size: 340 }] },
  { name: 'Bianca', crops: [{ photo: 'sample6.jpg', left: 527, top: 248, size: 500 }] },
  { name: 'Carmen', crops: [{ photo: 'sample4.jpg', left: 1180, top: 104, size: 380 }] },
];

export const PHOTOS = ['sample1.jpg', 'sample2.jpg', 'sample3.jpg', 'sample4.jpg', 'sample5.jpg', 'sample6.jpg'] as const;
