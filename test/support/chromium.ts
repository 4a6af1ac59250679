import { existsSync } from 'node:fs';

import { type Browser, chromium } from 'playwright-core';

const PLACES = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the Chromium of this machine. @throws where there is none */
export function launchChromium(): Promise<Browser> {
  const executablePath = PLACES.find((file) => file && existsSync(file));
  if (!executablePath) throw new Error('no Chromium here: apt-get install chromium, or set CHROMIUM_PATH');
  return chromium.launch({ executablePath, args: FLAGS });
}
