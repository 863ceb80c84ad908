/** At most as many characters as the column holds, never half of a surrogate pair. */
export function clip(text: string, characters = 255): string {
  const whole = [...text.slice(0, characters * 2)];
  return whole.length <= characters && text.length <= characters ? text : whole.slice(0, characters).join('');
}
