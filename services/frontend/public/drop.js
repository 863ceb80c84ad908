const MAX_BYTES = 20 * 1024 * 1024;
const TYPES = new Set(['image/jpeg', 'image/png', 'image/webp']);

/**
 * Why a file cannot be taken, before it is sent; undefined where it can.
 * @param {File} file
 */
export function faultOf(file) {
  if (!TYPES.has(file.type)) return 'Only JPEG, PNG and WebP photos can be read.';
  if (file.size > MAX_BYTES) return 'It is larger than 20 MB.';
  if (file.size === 0) return 'The file is empty.';
  return undefined;
}

/** @param {DragEvent} event */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/**
 * Takes files that are dropped onto an element or chosen in its file input.
 * @param {HTMLElement | Document} target where files may be dropped
 * @param {HTMLElement} highlighted what shows that they may
 * @param {(files: File[]) => void} onFiles
 */
export function takeDrops(target, highlighted, onFiles) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const leave = () => {
    depth = 0;
    highlighted.classList.remove('dragged-over');
  };
  /** @type {(type: string, listener: (event: DragEvent) => void) => void} */
  const on = (type, listener) =>
    target.addEventListener(type, (event) => {
      if (!(event instanceof DragEvent) || !carriesFiles(event)) return;
      event.preventDefault();
      listener(event);
    });
  on('dragenter', () => {
    depth += 1;
    highlighted.classList.add('dragged-over');
  });
  on('dragleave', () => {
    depth -= 1;
    if (depth <= 0) leave();
  });
  on('dragover', () => {});
  on('drop', (event) => {
    event.stopPropagation();
    leave();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
}

/**
 * @param {HTMLInputElement} input
 * @param {(files: File[]) => void} onFiles
 */
export function takeChosen(input, onFiles) {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = ''; // so that the same file may be chosen again
    if (files.length > 0) onFiles(files);
  });
}
