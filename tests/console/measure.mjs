// Loading times of the console on a slow phone: `node measure.mjs` prints a table of medians of several visits without a
// cache, measured in Chromium. Responses are compressed and sent over HTTP/2, as on Vercel. The network is Lighthouse's slow
// 4G, and the CPU is throttled to a quarter of this machine's speed.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createSecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { withBrowser } from '../blob/chromium.mjs';
import { fill } from './example.mjs';
import { withServer } from './server.mjs';

const VISITS = 9;
/** The timeout of a visit. */
const TIMEOUT_MS = 30_000;
const NETWORK = { offline: false, latency: 150, downloadThroughput: 1.6 * 1024 * 1024 / 8, uploadThroughput: 750 * 1024 / 8 };
const CPU_SLOWDOWN = 4;
/** The wait after a window opens, because the browser's own start competes for the CPU. */
const SETTLE_MS = 2_000;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// Creates a self-signed certificate.
const certificate = () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmos-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
    '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
};

// A reverse proxy over HTTP/2 that gzips texts. It also serves an empty page, which shows the share of the browser itself in
// each figure.
const EMPTY = '/empty';
const compressing = (base) => new Promise((resolve) => {
  const server = createSecureServer(certificate(), (incoming, outgoing) => {
    if (incoming.url === EMPTY) {
      outgoing.writeHead(200, { 'content-type': 'text/html' });
      outgoing.end('<!doctype html><title>empty</title><p>empty');
      return;
    }
    const entries = Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':') && name !== 'origin');
    const headers = { ...Object.fromEntries(entries), host: new URL(base).host };
    const upstream = request(base + incoming.url, { method: incoming.method, headers }, async (response) => {
      const body = Buffer.concat(await response.toArray());
      const isText = /text|json|javascript/.test(response.headers['content-type'] ?? '') && body.length > 200;
      const sent = isText ? gzipSync(body) : body;
      const { 'content-length': _, 'transfer-encoding': __, connection: ___, 'keep-alive': ____, ...forwarded } = response.headers;
      outgoing.writeHead(response.statusCode, { ...forwarded, ...(isText && { 'content-encoding': 'gzip' }), 'content-length': sent.length });
      outgoing.end(sent);
    });
    incoming.pipe(upstream);
  });
  server.listen(0, '127.0.0.1', () => resolve(server));
});

// Reports when the first element that matches `selector` is painted. It runs in the page, because Playwright's own waiting
// injects more script than the whole console has.
const paintReporter = (selector) => `(() => {
  const watch = new MutationObserver(() => {
    if (!document.querySelector(${JSON.stringify(selector)})) return;
    watch.disconnect();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => seen(String(performance.now()));
      port2.postMessage(null);
    });
  });
  watch.observe(document, { childList: true, subtree: true });
})()`;

// Visits a page. Returns the first paint, the paint of `selector`, the layout shift, the bytes and the requests.
const visit = async (browser, address, selector) => {
  const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true });
  const tab = await context.newPage();
  await tab.waitForTimeout(SETTLE_MS);
  const debug = await context.newCDPSession(tab);
  await debug.send('Network.enable');
  await debug.send('Network.emulateNetworkConditions', NETWORK);
  await debug.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  await debug.send('Page.enable');
  await debug.send('Runtime.enable');
  await debug.send('Runtime.addBinding', { name: 'seen' });
  await debug.send('Page.addScriptToEvaluateOnNewDocument', { source: paintReporter(selector) });
  const seen = once(debug, 'Runtime.bindingCalled', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  let [bytes, requests] = [0, 0];
  const count = ({ encodedDataLength }) => { bytes += encodedDataLength; requests += 1; };
  debug.on('Network.loadingFinished', count);
  await tab.goto(address, { waitUntil: 'commit' });
  const useful = Number((await seen)[0].payload);
  debug.off('Network.loadingFinished', count);
  const painted = await tab.evaluate(() => new Promise((resolve) => {
    const report = (list) => list.getEntriesByName('first-contentful-paint').forEach((entry) => resolve(entry.startTime));
    new PerformanceObserver(report).observe({ type: 'paint', buffered: true });
  }));
  const moved = await tab.evaluate(() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => resolve(sum), 300);
  }));
  await context.close();
  return { painted, useful, moved, bytes, requests };
};

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

await withServer(async (base, redis) => {
  const { session } = await fill(base, redis);
  const proxy = await compressing(base);
  const address = `https://localhost:${proxy.address().port}`;
  console.log('| page | first contentful paint | useful | layout shift | bytes | requests |\n|---|---:|---:|---:|---:|---:|');
  await withBrowser(async (browser) => {
    for (const [name, path, selector] of [['list of sessions', '/', '.row'], ['session', `/#/sessions/${session}`, '.message'], ['empty page', EMPTY, 'p']]) {
      const visits = [];
      for (let count = 0; count < VISITS; count += 1) visits.push(await visit(browser, `${address}${path}`, selector));
      const of = (key) => median(visits.map((it) => it[key]));
      console.log(`| ${name} | ${Math.round(of('painted'))} ms | ${Math.round(of('useful'))} ms | ${of('moved').toFixed(3)} | ${(of('bytes') / 1024).toFixed(0)} KB | ${of('requests')} |`);
    }
  });
  proxy.close();
}, process.argv[2]);
