// An older official client against the local store: `node older_client.mjs {package} {versions}`, with VERCEL_BLOB_API_URL
// and BLOB_READ_WRITE_TOKEN set. `{versions}` is `suffixed` if the client expects random suffixes and overwrites by default.
import assert from 'node:assert/strict';

const [name, defaults] = process.argv.slice(2);
const blob = await import(name);
const client = await import(`${name}/client`);
const access = 'public';
const token = process.env.BLOB_READ_WRITE_TOKEN;
const isSuffixed = defaults === 'suffixed';
const read = async (url) => (await fetch(url)).text();
const text = (length) => Buffer.alloc(length, 'x');

const put = await blob.put('notes/é.txt', 'one', { access });
assert.match(put.pathname, isSuffixed ? /^notes\/é-[0-9A-Za-z]{30}\.txt$/ : /^notes\/é\.txt$/);
assert.equal(put.contentType, 'text/plain');
assert.equal(await read(put.url), 'one');
assert.equal(await read(put.downloadUrl), 'one');

const exact = { access, addRandomSuffix: false };
await blob.put('exact.txt', 'one', exact);
if (isSuffixed) {
  const second = await blob.put('exact.txt', 'two', exact);
  assert.equal(await read(second.url), 'two');
} else {
  await assert.rejects(blob.put('exact.txt', 'two', exact), /already exists/);
  const second = await blob.put('exact.txt', 'two', { ...exact, allowOverwrite: true });
  assert.equal(await read(second.url), 'two');
}
const head = await blob.head(put.url);
assert.equal(head.size, 3);
assert.equal(head.cacheControl, 'public, max-age=2592000');
assert.ok(Math.abs(Date.now() - head.uploadedAt) < 60_000);

const copied = await blob.copy(put.url, 'copies/é.txt', { access });
assert.equal(copied.pathname, 'copies/é.txt');
assert.equal(await read(copied.url), 'one');
assert.match((await blob.copy(put.url, 'copies/b.txt', { access, addRandomSuffix: true })).pathname, /^copies\/b-.{30}\.txt$/);
const folder = await blob.createFolder('empty');
assert.equal(folder.pathname, 'empty/');

const listed = await blob.list({ prefix: 'copies/' });
assert.deepEqual([listed.hasMore, listed.blobs.length], [false, 2]);
const folded = await blob.list({ mode: 'folded' });
assert.deepEqual(folded.folders, ['copies/', 'empty/', 'notes/']);

const large = await blob.put('large.bin', text(9 * 1024 * 1024), { ...exact, multipart: true });
assert.equal((await blob.head(large.url)).size, 9 * 1024 * 1024);
const upload = await blob.createMultipartUploader('parts.txt', { access });
assert.match(upload.key, isSuffixed ? /^parts-.{30}\.txt$/ : /^parts\.txt$/);
const parts = [await upload.uploadPart(1, text(5 * 1024 * 1024)), await upload.uploadPart(2, 'end')];
assert.equal((await upload.complete(parts)).pathname, upload.key);

const tokenFor = (pathname) => client.generateClientTokenFromReadWriteToken({ token, pathname, maximumSizeInBytes: 3 });
const sent = await client.put('client.txt', 'one', { access, token: await tokenFor('client.txt') });
assert.match(sent.pathname, isSuffixed ? /^client-.{30}\.txt$/ : /^client\.txt$/);
const tooLarge = client.put('large.txt', 'four', { access, token: await tokenFor('large.txt') });
await assert.rejects(tooLarge, blob.BlobFileTooLargeError);

await blob.del([put.url, copied.url]);
await assert.rejects(blob.head(put.url), blob.BlobNotFoundError);
await assert.rejects(blob.head('missing', { token: 'vercel_blob_rw_local_x' }), blob.BlobAccessError);
