// A page that uploads a file with `upload()` of the official client, in a real Chromium:
// `node browser_upload.mjs {base} {public} {pathname} {multipart}`. The page is written to the folder `public` of the
// server at `base`, which contains the file as big.bin. Prints the result of `upload()` and its progress events as JSON.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { withTab } from './chromium.mjs';

const [base, folder, pathname, multipart] = process.argv.slice(2);

const page = `
  import { upload } from '@vercel/blob/client';
  window.send = async (pathname, multipart) => {
    const file = new File([await (await fetch('/big.bin')).blob()], 'big.bin', { type: 'application/octet-stream' });
    const progress = [];
    const uploaded = await upload(pathname, file, {
      access: 'private',
      handleUploadUrl: '/api/files/upload',
      clientPayload: JSON.stringify({ size: file.size, content_type: file.type }),
      contentType: file.type,
      multipart,
      onUploadProgress: (event) => progress.push(event),
    });
    // The client reports progress every 100 ms, so the last event may follow the end of the upload.
    for (let waited = 0; progress.at(-1)?.percentage !== 100 && waited < 5000; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { uploaded, progress };
  };
`;

await build({
  stdin: { contents: page, resolveDir: import.meta.dirname },
  bundle: true,
  platform: 'browser',
  outfile: join(folder, 'upload.js'),
  define: {
    'process.env.NEXT_PUBLIC_VERCEL_BLOB_API_URL': JSON.stringify(`${base}/_blob`),
    // Failures are reported at once, without retries.
    'process.env.VERCEL_BLOB_RETRIES': '"0"',
    'process.env': '{}',
  },
});
writeFileSync(join(folder, 'upload.html'), '<!doctype html><title>Upload</title><script src="upload.js"></script>');

const result = await withTab(async (tab) => {
  const logs = [];
  tab.on('console', (message) => logs.push(message.text()));
  tab.on('pageerror', (error) => logs.push(error.message));
  await tab.goto(`${base}/upload.html`);
  return tab.evaluate(([to, inParts]) => window.send(to, inParts), [pathname, multipart === 'true'])
    .catch((error) => {
      throw new Error(`${error.message}\n${logs.join('\n')}`);
    });
});
console.log(JSON.stringify(result));
