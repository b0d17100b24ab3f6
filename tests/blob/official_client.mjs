// The official client against the local store: `node official_client.mjs {section}`, with VERCEL_BLOB_API_URL and
// BLOB_READ_WRITE_TOKEN set. Fails if the behaviour differs from Vercel's documentation.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as blob from '@vercel/blob';
import * as client from '@vercel/blob/client';

const api = process.env.VERCEL_BLOB_API_URL;
const token = process.env.BLOB_READ_WRITE_TOKEN;
const content = `${api}/content`;

// The client derives the host for reads from the token. Its own copy of undici redirects these requests to the local store.
const { Agent, setGlobalDispatcher } = createRequire(import.meta.resolve('@vercel/blob'))('undici');
const redirected = [];
setGlobalDispatcher(new Agent().compose((dispatch) => (options, handler) => {
  if (!/^https:\/\/local\.(private|public)\.blob\.vercel-storage\.com$/.test(options.origin)) {
    return dispatch(options, handler);
  }
  redirected.push(`${options.origin}${options.path}`);
  const { origin, pathname } = new URL(content);
  return dispatch({ ...options, origin, path: `${pathname}${options.path}` }, handler);
}));

const isEtag = (etag) => assert.match(etag, /^"[0-9a-f]{32}"$/);
const isRecent = (date) => assert.ok(Math.abs(Date.now() - date) < 60_000, `${date}`);
const text = async (found) => (await buffer(Readable.fromWeb(found.stream))).toString();

// Asserts an error of exactly this class, with this text in its message.
const fails = (promise, errorClass, message) => assert.rejects(promise, (error) => {
  assert.equal(error.constructor, errorClass, `${error.stack}`);
  assert.ok(error.message.includes(message), error.message);
  return true;
});

const sections = {
  async put_and_read() {
    const written = await blob.put('notes/ä b#?.txt', 'hello', { access: 'private' });
    const url = `${content}/notes/%C3%A4%20b%23%3F.txt`;
    isEtag(written.etag);
    assert.deepEqual(written, {
      url,
      downloadUrl: `${url}?download=1`,
      pathname: 'notes/ä b#?.txt',
      contentType: 'text/plain',
      contentDisposition: `inline; filename="? b#?.txt"; filename*=UTF-8''%C3%A4%20b%23%3F%2Etxt`,
      etag: written.etag,
    });
    for (const reference of [
      url,
      'notes/ä b#?.txt',
      'https://local.private.blob.vercel-storage.com/notes/%C3%A4%20b%23%3F.txt',
    ]) {
      const known = await blob.head(reference);
      isRecent(known.uploadedAt);
      assert.deepEqual(known, {
        ...written, size: 5, cacheControl: 'private, max-age=2592000', uploadedAt: known.uploadedAt,
      });
    }

    const pathname = 'notes/plain.json';
    const plain = await blob.put(pathname, Buffer.from('{}'), {
      access: 'private', contentType: 'application/json', cacheControlMaxAge: 120,
    });
    for (const options of [{}, { useCache: false }]) {
      const found = await blob.get(pathname, { access: 'private', ...options });
      assert.equal(found.statusCode, 200);
      assert.equal(await text(found), '{}');
      assert.equal(found.blob.pathname, pathname);
      assert.equal(found.blob.contentType, 'application/json');
      assert.equal(found.blob.contentDisposition, 'inline; filename="plain.json"');
      assert.equal(found.blob.cacheControl, 'private, max-age=120');
      assert.equal(found.blob.size, 2);
      assert.equal(found.blob.etag, plain.etag);
      isRecent(found.blob.uploadedAt);
    }
    assert.deepEqual(redirected, [
      `https://local.private.blob.vercel-storage.com/${pathname}`,
      `https://local.private.blob.vercel-storage.com/${pathname}?cache=0`,
    ]);
    const same = await blob.get(pathname, { access: 'private', ifNoneMatch: plain.etag });
    assert.equal(same.statusCode, 304);
    assert.equal(same.stream, null);
    assert.equal(same.blob.etag, plain.etag);
    assert.equal(await blob.get('missing', { access: 'private' }), null);
    await fails(blob.get(pathname, { access: 'private', token: 'vercel_blob_rw_local_x' }), blob.BlobError, '403');

    const open = await blob.put('open.html', '<p>', { access: 'public', addRandomSuffix: true });
    assert.match(open.pathname, /^open-[0-9A-Za-z]{30}\.html$/);
    assert.match(open.contentDisposition, /^attachment; filename="open-[0-9A-Za-z]{30}\.html"$/);
    const found = await blob.get(open.pathname, { access: 'public', token: 'vercel_blob_rw_local_x' });
    assert.equal(await text(found), '<p>');

    const streamed = await blob.put('stream.bin', Readable.from([Buffer.from('a'), Buffer.from('b')]), {
      access: 'private', onUploadProgress() {},
    });
    assert.equal(streamed.contentType, 'application/octet-stream');
    assert.equal((await blob.head('stream.bin')).size, 2);

    const folder = await blob.createFolder('empty', { access: 'private' });
    assert.deepEqual(folder, { pathname: 'empty/', url: `${content}/empty/` });
    assert.equal((await blob.head('empty/')).size, 0);

    await blob.del([written.url, 'stream.bin', 'missing']);
    await fails(blob.head('stream.bin'), blob.BlobNotFoundError, 'The requested blob does not exist');
    await blob.del('stream.bin');
  },

  async list() {
    const names = ['a', 'a/1', 'a/2', 'a/b/3', 'a/b/4', 'b/5', 'c'];
    const written = {};
    for (const name of names) {
      written[name] = await blob.put(name, name, { access: 'private' });
    }
    const whole = await blob.list();
    assert.equal(whole.hasMore, false);
    assert.equal(whole.cursor, undefined);
    assert.deepEqual(whole.blobs.map((found) => found.pathname), names);
    const { url, downloadUrl, etag } = written['a/1'];
    assert.deepEqual(whole.blobs[1], {
      url, downloadUrl, etag, pathname: 'a/1', size: 3, uploadedAt: whole.blobs[1].uploadedAt,
    });
    isRecent(whole.blobs[1].uploadedAt);

    const all = async (options) => {
      const found = { blobs: [], folders: [] };
      let cursor;
      do {
        const page = await blob.list({ ...options, cursor });
        assert.equal(page.hasMore, page.cursor !== undefined);
        assert.ok(page.blobs.length + (page.folders ?? []).length <= (options.limit ?? 1000));
        found.blobs.push(...page.blobs.map((listed) => listed.pathname));
        found.folders.push(...(page.folders ?? []));
        cursor = page.cursor;
      } while (cursor);
      return found;
    };
    for (const limit of [1, 2, 3, undefined]) {
      assert.deepEqual(await all({ limit }), { blobs: names, folders: [] });
      assert.deepEqual(await all({ limit, prefix: 'a/b' }), { blobs: ['a/b/3', 'a/b/4'], folders: [] });
      assert.deepEqual(await all({ limit, mode: 'folded' }), { blobs: ['a', 'c'], folders: ['a/', 'b/'] });
      assert.deepEqual(await all({ limit, mode: 'folded', prefix: 'a/' }), {
        blobs: ['a/1', 'a/2'], folders: ['a/b/'],
      });
    }
    assert.deepEqual(await all({ prefix: 'nothing' }), { blobs: [], folders: [] });
    await fails(blob.list({ cursor: '*' }), blob.BlobError, 'cursor');
    await fails(blob.list({ limit: 1001 }), blob.BlobError, 'limit');
  },

  async conditions_and_copies() {
    const access = 'private';
    const exists = 'This blob already exists, use `allowOverwrite: true` if you want to overwrite it. '
      + 'Or `addRandomSuffix: true` to generate a unique filename.';
    const first = await blob.put('a.txt', '1', { access, cacheControlMaxAge: 5 });
    assert.equal((await blob.head('a.txt')).cacheControl, 'private, max-age=60');
    await fails(blob.put('a.txt', '2', { access }), blob.BlobError, exists);
    const second = await blob.put('a.txt', '2', { access, ifMatch: first.etag });
    assert.notEqual(second.etag, first.etag);
    await fails(blob.put('a.txt', '3', { access, ifMatch: first.etag }), blob.BlobPreconditionFailedError, 'ETag');
    await fails(blob.put('new', '3', { access, ifMatch: first.etag }), blob.BlobPreconditionFailedError, 'ETag');
    const third = await blob.put('a.txt', '3', { access, ifMatch: `W/${second.etag}` });
    const fourth = await blob.put('a.txt', '4', { access, allowOverwrite: true, contentType: 'text/x-four' });
    assert.notEqual(fourth.etag, third.etag);

    const copied = await blob.copy(fourth.url, 'b.txt', { access });
    assert.deepEqual(copied, {
      url: `${content}/b.txt`, downloadUrl: `${content}/b.txt?download=1`, pathname: 'b.txt',
      contentType: 'text/x-four', contentDisposition: 'attachment; filename="b.txt"', etag: fourth.etag,
    });
    await fails(blob.copy('a.txt', 'b.txt', { access }), blob.BlobError, exists);
    await fails(
      blob.copy('a.txt', 'b.txt', { access, allowOverwrite: true, ifMatch: first.etag }),
      blob.BlobPreconditionFailedError, 'ETag',
    );
    const again = await blob.copy('a.txt', 'b.txt', { access: 'public', allowOverwrite: true, contentType: 'x/y' });
    assert.equal(again.contentType, 'x/y');
    await fails(blob.copy('missing', 'c', { access }), blob.BlobNotFoundError, 'does not exist');
    assert.equal(await text(await blob.get('b.txt', { access: 'public' })), '4');
    assert.match((await blob.copy('a.txt', 'd.txt', { access, addRandomSuffix: true })).pathname, /^d-.{30}\.txt$/);

    await fails(blob.rename('a.txt', 'b.txt', { access }), blob.BlobError, exists);
    await fails(blob.rename('missing', 'e', { access }), blob.BlobNotFoundError, 'does not exist');
    const renamed = await blob.rename('a.txt', 'e/f.txt', { access });
    assert.deepEqual(renamed, {
      url: `${content}/e/f.txt`, downloadUrl: `${content}/e/f.txt?download=1`, pathname: 'e/f.txt',
      contentType: 'text/x-four', contentDisposition: 'attachment; filename="f.txt"', etag: fourth.etag,
    });
    await fails(blob.head('a.txt'), blob.BlobNotFoundError, 'does not exist');
    assert.equal(await text(await blob.get('e/f.txt', { access })), '4');
    await blob.rename('e/f.txt', 'e/f.txt', { access, allowOverwrite: true });
    assert.equal((await blob.head('e/f.txt')).size, 1);

    await fails(blob.del('e/f.txt', { ifMatch: first.etag }), blob.BlobPreconditionFailedError, 'ETag');
    await blob.del('e/f.txt', { ifMatch: fourth.etag });
    await fails(blob.head('e/f.txt'), blob.BlobNotFoundError, 'does not exist');
  },

  async multipart() {
    const access = 'private';
    const body = randomBytes(20 * 1024 * 1024 + 7);
    const written = await blob.put('größe.bin', Readable.from(body), { access, multipart: true });
    assert.equal(written.pathname, 'größe.bin');
    assert.equal(written.contentType, 'application/octet-stream');
    isEtag(written.etag);
    assert.equal((await blob.head(written.url)).size, body.length);
    const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
    const found = await blob.get('größe.bin', { access });
    assert.equal(hash(await buffer(Readable.fromWeb(found.stream))), hash(body));
    await fails(blob.put('größe.bin', body, { access, multipart: true }), blob.BlobError, 'already exists');

    const upload = await blob.createMultipartUploader('b.txt', { access, addRandomSuffix: true });
    assert.match(upload.key, /^b-[0-9A-Za-z]{30}\.txt$/);
    await upload.uploadPart(1, 'replaced');
    const parts = [await upload.uploadPart(2, 'end'), await upload.uploadPart(1, Buffer.alloc(5 * 1024 * 1024, 'x'))];
    isEtag(parts[0].etag);
    await fails(upload.complete([{ ...parts[0], etag: parts[1].etag }]), blob.BlobError, 'part 2 with this etag was not uploaded');
    await fails(upload.complete([parts[0], parts[0]]), blob.BlobError, 'part number twice');
    await fails(upload.complete([]), blob.BlobError, 'must not be empty');
    const whole = await upload.complete(parts);
    assert.equal(whole.pathname, upload.key);
    assert.equal(whole.contentType, 'text/plain');
    assert.equal((await blob.head(upload.key)).size, 5 * 1024 * 1024 + 3);
    await fails(upload.complete(parts), blob.BlobNotFoundError, 'does not exist');

    const small = await blob.createMultipartUploader('c.txt', { access });
    const tooSmall = [await small.uploadPart(1, 'x'), await small.uploadPart(2, 'y')];
    await fails(small.complete(tooSmall), blob.BlobError, '5 MB');
    for (const uploadId of ['x', '../c', '0190163d8694739bb1f83c9b5a6c2b9d']) {
      const options = { access, key: 'c.txt', uploadId };
      await fails(blob.uploadPart('c.txt', 'x', { ...options, partNumber: 1 }), blob.BlobNotFoundError, 'exist');
      await fails(blob.completeMultipartUpload('c.txt', tooSmall, options), blob.BlobNotFoundError, 'exist');
    }
  },

  async client_tokens() {
    const mint = (options) => client.generateClientTokenFromReadWriteToken({ token, ...options });
    const put = async (pathname, body, options, uploadOptions = {}) => client.put(pathname, body, {
      access: 'private', token: await mint({ pathname, ...options }), ...uploadOptions,
    });
    const written = await put('a.txt', '1', { cacheControlMaxAge: 90 });
    assert.equal(written.pathname, 'a.txt');
    assert.equal((await blob.head('a.txt')).cacheControl, 'private, max-age=90');
    await fails(put('a.txt', '2', {}), blob.BlobError, 'already exists');
    const second = await put('a.txt', '2', { allowOverwrite: true });
    await fails(put('a.txt', '3', { ifMatch: written.etag }), blob.BlobPreconditionFailedError, 'ETag');
    await put('a.txt', '3', { ifMatch: second.etag });
    assert.match((await put('b.txt', '1', { addRandomSuffix: true })).pathname, /^b-.{30}\.txt$/);

    const other = await mint({ pathname: 'other.txt' });
    const access = 'private';
    await fails(client.put('c.txt', '1', { access, token: other }), blob.BlobPathnameMismatchError, 'pathname');
    await fails(put('c.txt', '1', { validUntil: Date.now() - 1 }), blob.BlobClientTokenExpiredError, 'expired');
    await fails(
      put('c.txt', '1', { allowedContentTypes: ['image/*'] }), blob.BlobContentTypeNotAllowedError, 'text/plain',
    );
    const image = await put('c.txt', '1', { allowedContentTypes: ['image/*'] }, { contentType: 'image/png' });
    assert.equal(image.contentType, 'image/png');
    await fails(put('d.txt', '123456', { maximumSizeInBytes: 5 }), blob.BlobFileTooLargeError, '5 bytes');
    await fails(
      put('d.txt', Buffer.alloc(30 * 1024 * 1024), { maximumSizeInBytes: 5 }), blob.BlobFileTooLargeError, '5 bytes',
    );
    await put('d.txt', '12345', { maximumSizeInBytes: 5 });
    await fails(
      client.put('e.txt', '1', { access, token: `${other}x` }), blob.BlobAccessError, 'Access denied',
    );
    const foreign = await mint({ pathname: 'e.txt', token: 'vercel_blob_rw_local_other' });
    await fails(client.put('e.txt', '1', { access, token: foreign }), blob.BlobAccessError, 'Access denied');
    await Promise.all([
      blob.head('a.txt', { token: other }), blob.list({ token: other }), blob.del('a.txt', { token: other }),
      blob.copy('a.txt', 'other.txt', { access, token: other }), blob.rename('a.txt', 'z', { access, token: other }),
    ].map((refused) => fails(refused, blob.BlobError, 'not available when using a client token')));

    const body = randomBytes(9 * 1024 * 1024);
    const large = await put('large.bin', body, { maximumSizeInBytes: body.length }, { multipart: true });
    assert.equal((await blob.head(large.url)).size, body.length);
    const limit = { maximumSizeInBytes: body.length - 1 };
    await fails(put('larger.bin', Readable.from(body), limit, { multipart: true }), blob.BlobFileTooLargeError, 'length');
  },

  async completed_uploads_are_reported() {
    const completed = [];
    const server = createServer(async (request, response) => {
      const body = JSON.parse((await buffer(request)).toString());
      const result = await client.handleUpload({
        token, request, body,
        async onBeforeGenerateToken() { throw new Error('no token was requested'); },
        async onUploadCompleted(payload) { completed.push(payload); },
      });
      response.end(JSON.stringify(result));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const callbackUrl = `http://127.0.0.1:${server.address().port}/upload`;
    const clientToken = await client.generateClientTokenFromReadWriteToken({
      token, pathname: 'é.txt', onUploadCompleted: { callbackUrl, tokenPayload: 'for "you"' },
    });
    const written = await client.put('é.txt', '1', { access: 'private', token: clientToken });
    for (let waited = 0; completed.length === 0 && waited < 10_000; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(completed, [{ blob: written, tokenPayload: 'for "you"' }]);
    server.close();
  },

  async rejections() {
    const wrong = { access: 'private', token: 'vercel_blob_rw_local_wrong' };
    const denied = 'Access denied, please provide a valid token for this resource.';
    await Promise.all([
      blob.put('a', '1', wrong), blob.head('a', wrong), blob.list(wrong), blob.del('a', wrong),
      blob.copy('a', 'b', wrong), blob.rename('a', 'b', wrong), blob.put('a', '1', { ...wrong, multipart: true }),
    ].map((refused) => fails(refused, blob.BlobAccessError, denied)));
    await fails(blob.put('../a', '1', { access: 'private' }), blob.BlobError, 'as a part');
    await fails(blob.put('a\0', '1', { access: 'private' }), blob.BlobError, 'NUL');
    const longest = 'ä'.repeat(950);
    assert.equal((await blob.put(longest, '1', { access: 'private' })).pathname, longest);
    assert.equal(await text(await blob.get(longest, { access: 'private' })), '1');
  },
};

// Skills of this API read by the official client, and the reverse.
const interop = {
  async reads_our_skill() {
    const pathname = 'volumes/user/default/skills/hello-world.md';
    const known = await blob.head(pathname);
    assert.match(known.contentType, /^text\/markdown/);
    const found = await blob.get(pathname, { access: 'private', useCache: false });
    assert.equal(found.blob.etag, known.etag);
    process.stdout.write(await text(found));
  },

  async writes_a_skill() {
    const document = process.argv[3];
    const pathname = 'volumes/user/default/skills/from-elsewhere.md';
    const written = await blob.put(pathname, document, { access: 'private', contentType: 'text/markdown' });
    process.stdout.write(written.etag);
  },
};

await { ...sections, ...interop }[process.argv[2]]();
