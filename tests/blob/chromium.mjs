// The real Chromium of this machine, as the scripts beside this one drive it.
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';

const program = () => {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error('chromium is not installed: run `make setup`');
  }
};

// Gives what `use` makes of a browser, which ends with it.
export const withBrowser = async (use) => {
  const running = await chromium.launch({
    executablePath: program(),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // As if its owner had made this name lead to the machine of whoever opens the page.
      '--host-resolver-rules=MAP evil.example 127.0.0.1',
    ],
  });
  try {
    return await use(running);
  } finally {
    await running.close();
  }
};

// Gives what `use` makes of a new tab.
export const withTab = (use) => withBrowser(async (browser) => use(await browser.newPage()));
