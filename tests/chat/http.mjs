// HTTP for the scripts in this folder: a proxy whose connections can be cut, and requests to the API.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';

// Starts a TCP proxy in front of `base`. `cut(bytes)` closes each connection behind that many bytes of its response, while
// cuts are left.
export const startProxy = async (base) => {
  const target = new URL(base);
  const sockets = new Set();
  let cuts = [];
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    sockets.add(client).add(upstream);
    const close = () => { client.destroy(); upstream.destroy(); };
    let left = null;
    client.on('data', (data) => {
      // Only streams are cut, not the requests around them.
      if (/^(POST \/api\/chat |GET \/api\/chat\/[^ ]*\/stream)/.test(data.toString('latin1'))) left = cuts.shift() ?? null;
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (left === null) { client.write(data); return; }
      client.write(data.subarray(0, left), () => { if (left <= 0) client.destroy(); });
      left -= data.length;
      if (left <= 0) upstream.destroy();
    });
    for (const socket of [client, upstream]) socket.on('error', close).on('close', close);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    cut: (...bytes) => { cuts = bytes; },
    uncut: () => cuts.length,
    close: () => { server.close(); for (const socket of sockets) socket.destroy(); },
  };
};

export const get = async (url) => {
  const response = await fetch(url);
  const text = await response.text();
  assert.ok(response.ok, `${url}: ${response.status} ${text}`);
  return JSON.parse(text);
};

export const until = async (condition, check) => {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const value = await check();
    if (value) return value;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  throw new Error(`${condition}: not within 20 s`);
};
