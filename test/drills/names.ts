// Loaded into a service by NODE_OPTIONS: what a name means is read from NAMES_FILE each time that it is looked up.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';

const { NAMES_FILE = '' } = process.env;
const { lookup } = dns;

type Callback = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void;

function addressOf(name: string): string {
  const names = JSON.parse(readFileSync(NAMES_FILE, 'utf8')) as Record<string, string>;
  return names[name] ?? name;
}

Object.assign(dns, {
  lookup: (name: string, options: dns.LookupAllOptions, callback: Callback) => lookup(addressOf(name), options, callback),
});
