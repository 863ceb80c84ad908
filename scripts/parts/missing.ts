/** This machine lacks a program and there is no way to get it; the message is one sentence for whoever started us. */
export class MissingProgramError extends Error {
  override readonly name = 'MissingProgramError';
}
