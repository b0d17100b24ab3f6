// The size of the console: `node weight.mjs` prints the gzipped size of each file, and fails above the limit, if vendored
// files differ from their packages, or if index.html does not preload the modules of the first view.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const MAX_BYTES = 60 * 1024;
const PUBLISHED = {
  'dompurify.LICENSE': 'dompurify/LICENSE',
  'marked.LICENSE': 'marked/LICENSE',
  'marked.esm.js': 'marked/lib/marked.esm.js',
  'purify.min.js': 'dompurify/dist/purify.min.js',
};
const pages = join(import.meta.dirname, '../../public');
const modules = join(import.meta.dirname, '../node_modules');

const own = ['index.html', 'style.css', 'llmos.js', ...readdirSync(join(pages, 'console')).map((name) => `console/${name}`)];
let total = 0;
for (const name of own) {
  const size = gzipSync(readFileSync(join(pages, name)), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(6)}  ${name}`);
}
console.log(`${String(total).padStart(6)}  total, of at most ${MAX_BYTES}`);
assert.ok(total < MAX_BYTES, `${total} bytes, gzipped`);

assert.deepEqual(readdirSync(join(pages, 'vendor')).sort(), [...Object.keys(PUBLISHED), 'README.md'].sort());
for (const [copy, original] of Object.entries(PUBLISHED)) {
  const same = readFileSync(join(pages, 'vendor', copy)).equals(readFileSync(join(modules, original)));
  assert.ok(same, `public/vendor/${copy} differs from ${original}: run \`make vendor\``);
}
console.log('✓ vendored files are unchanged');

// index.html preloads exactly the static imports of the entry point.
const imported = new Set();
const collect = (module) => {
  for (const [, path] of readFileSync(join(pages, module), 'utf8').matchAll(/^import [^;]*?from "(\.[^"]+)";/gm)) {
    const name = join(module, '..', path);
    if (!imported.has(name)) collect((imported.add(name), name));
  }
};
collect('console/app.js');
const preloaded = [...readFileSync(join(pages, 'index.html'), 'utf8').matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map(([, name]) => name);
assert.deepEqual(preloaded.sort(), [...imported].sort());
console.log('✓ index.html preloads the modules of the first view');
