import { localiseTimes } from './times.js';

localiseTimes(document);
