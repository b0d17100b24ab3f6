// Takes screenshots of the main views, light and dark: `node screenshots.mjs {folder}`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBrowser } from '../blob/chromium.mjs';
import { fill } from './example.mjs';
import { withServer } from './server.mjs';

const [folder] = process.argv.slice(2);
const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// Converts a picture to WebP, a third of the size of PNG.
const toWebp = async (browser, picture) => {
  const tab = await browser.newPage();
  const encoded = await tab.evaluate(async (png) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d').drawImage(image, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/webp', quality: 0.9 })).arrayBuffer());
    return btoa(Array.from(bytes, (it) => String.fromCharCode(it)).join(''));
  }, picture.toString('base64'));
  await tab.close();
  return Buffer.from(encoded, 'base64');
};

mkdirSync(folder, { recursive: true });
await withServer(async (base, redis) => {
  const { session } = await fill(base, redis);
  const views = [
    ['sessions', DESKTOP, `#/sessions/${session}`, '.message'],
    ['skills', DESKTOP, '#/skills/user/bell-state', '.skill pre'],
    ['files', DESKTOP, '#/files/reports', '.row.file'],
    ['status', DESKTOP, '#/status', '.chart svg'],
    ['phone', PHONE, `#/sessions/${session}`, '.message'],
  ];
  await withBrowser(async (browser) => {
    for (const colorScheme of ['light', 'dark']) {
      for (const [name, screen, hash, selector] of views) {
        const context = await browser.newContext({ ...screen, colorScheme, locale: 'en-GB', timezoneId: 'Europe/Berlin' });
        const tab = await context.newPage();
        await tab.goto(`${base}/${hash}`, { waitUntil: 'networkidle' });
        await tab.locator(selector).first().waitFor();
        if (name === 'status') {
          // Fills the charts faster than the polling of the page.
          for (let checks = 0; checks < 40; checks += 1) {
            await tab.getByRole('button', { name: 'Check again' }).click();
            await tab.waitForTimeout(60);
          }
          await tab.locator('#main').focus();
          await tab.getByRole('button', { name: 'Check again' }).click();
        }
        await tab.waitForTimeout(400);
        await tab.evaluate(() => document.activeElement.blur());
        writeFileSync(join(folder, `${name}-${colorScheme}.webp`), await toWebp(browser, await tab.screenshot()));
        await context.close();
      }
    }
  });
});
