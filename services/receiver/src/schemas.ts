import { z } from 'zod';

/** Names of schemas that several operations share; the description has each once. */
export const named = z.registry<{ id: string }>();

/** A number in a path or a query: digits only (`Number` would take " 5 " and "0x5" too). */
export const digits = (text: unknown) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text);
export const Id = z.int().min(1);
export const idParameter = z.preprocess(digits, Id);
export const limitParameter = (fallback: number, max: number) => z.preprocess(digits, z.int().min(1).max(max).default(fallback));
export const afterParameter = z.preprocess(digits, z.int().min(0).optional());

export const Time = z.string().meta({ format: 'date-time' });

export const ErrorBody = z
  .object({
    error: z.object({
      code: z.string().describe('for programs'),
      message: z.string().describe('for people'),
      details: z
        .array(z.object({ field: z.string().optional(), message: z.string() }))
        .describe('which field, and what is allowed'),
    }),
  })
  .register(named, { id: 'Error' });

export const ItemError = z.object({ code: z.string(), message: z.string() }).register(named, { id: 'ItemError' });

export const PersonReference = z.object({ id: Id, name: z.string() }).register(named, { id: 'PersonReference' });

// For whoever reads the description; faultOfText is what checks, to the byte.
export const NO_CONTROL = '[^\\u0000-\\u001f\\u007f-\\u009f]';
