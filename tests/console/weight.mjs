// What the console weighs: `node weight.mjs` prints each of our own files, gzipped, and fails above the limit, or
// where what it has from others is not what they published.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT = 60 * 1024;
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
console.log(`${String(total).padStart(6)}  in all, of ${LIMIT}`);
assert.ok(total < LIMIT, `${total} bytes of our own, gzipped`);

assert.deepEqual(readdirSync(join(pages, 'vendor')).sort(), [...Object.keys(PUBLISHED), 'README.md'].sort());
for (const [ours, theirs] of Object.entries(PUBLISHED)) {
  const same = readFileSync(join(pages, 'vendor', ours)).equals(readFileSync(join(modules, theirs)));
  assert.ok(same, `public/vendor/${ours} is not ${theirs}: run \`make vendor\``);
}
console.log('✓ what is of others is as they published it');

// All that the first page needs is asked for at once: what `index.html` names is what the modules name one by one.
const needed = new Set();
const gather = (module) => {
  for (const [, path] of readFileSync(join(pages, module), 'utf8').matchAll(/^import [^;]*?from "(\.[^"]+)";/gm)) {
    const name = join(module, '..', path);
    if (!needed.has(name)) gather((needed.add(name), name));
  }
};
gather('console/app.js');
const named = [...readFileSync(join(pages, 'index.html'), 'utf8').matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map(([, name]) => name);
assert.deepEqual(named.sort(), [...needed].sort());
console.log('✓ what the first page needs is asked for at once');
