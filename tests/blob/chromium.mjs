// Starts the Chromium of this machine.
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';

const program = () => {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error('chromium is not installed: run `make setup`');
  }
};

// Calls `use` with a browser, and closes it afterwards.
export const withBrowser = async (use) => {
  const browser = await chromium.launch({
    executablePath: program(),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // DNS rebinding: a foreign name that resolves to this machine.
      '--host-resolver-rules=MAP evil.example 127.0.0.1',
    ],
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
};

// Calls `use` with a new tab.
export const withTab = (use) => withBrowser(async (browser) => use(await browser.newPage()));
