// How fast the console is on a slow phone: `node measure.mjs` prints a table of what Chromium measured, the median
// of some visits without a cache. What the server answers is compressed and sent by HTTP/2, as Vercel does; the line has the
// speed that Lighthouse takes for a slow 4G, and the processor is four times slower than this machine's.
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
/** How long a visit may take, in milliseconds. */
const LIMIT = 30_000;
const LINE = { offline: false, latency: 150, downloadThroughput: 1.6 * 1024 * 1024 / 8, uploadThroughput: 750 * 1024 / 8 };
const SLOWER = 4;
/** How long a new window is busy with itself, in milliseconds. */
const SETTLES = 2_000;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// A key and a certificate that hold for this run.
const certificate = () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmos-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
    '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const made = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return made;
};

// Passes everything on by HTTP/2, texts gzipped. What a page costs of which there is nothing tells how much of a figure
// is the browser's own, on this machine.
const EMPTY = '/empty';
const compressing = (base) => new Promise((resolve) => {
  const server = createSecureServer(certificate(), (incoming, outgoing) => {
    if (incoming.url === EMPTY) {
      outgoing.writeHead(200, { 'content-type': 'text/html' });
      outgoing.end('<!doctype html><title>empty</title><p>empty');
      return;
    }
    const given = Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':') && name !== 'origin');
    const headers = { ...Object.fromEntries(given), host: new URL(base).host };
    const onward = request(base + incoming.url, { method: incoming.method, headers }, async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      const isText = /text|json|javascript/.test(answer.headers['content-type'] ?? '') && body.length > 200;
      const sent = isText ? gzipSync(body) : body;
      const { 'content-length': _, 'transfer-encoding': __, connection: ___, 'keep-alive': ____, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode, { ...kept, ...(isText && { 'content-encoding': 'gzip' }), 'content-length': sent.length });
      outgoing.end(sent);
    });
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1', () => resolve(server));
});

// Tells when the first element that `shown` selects can be seen. It runs in the page, where it costs next to nothing:
// what Playwright waits with is more script than the whole console, on a processor that is four times slower.
const watching = (shown) => `(() => {
  const watch = new MutationObserver(() => {
    if (!document.querySelector(${JSON.stringify(shown)})) return;
    watch.disconnect();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => seen(String(performance.now()));
      port2.postMessage(null);
    });
  });
  watch.observe(document, { childList: true, subtree: true });
})()`;

// One visit: when something is painted, when what is looked for can be seen, and what that took.
const visit = async (browser, address, shown) => {
  const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true });
  const tab = await context.newPage();
  // What a new window starts beside the page takes its share of the processor.
  await tab.waitForTimeout(SETTLES);
  const debug = await context.newCDPSession(tab);
  await debug.send('Network.enable');
  await debug.send('Network.emulateNetworkConditions', LINE);
  await debug.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await debug.send('Page.enable');
  await debug.send('Runtime.enable');
  await debug.send('Runtime.addBinding', { name: 'seen' });
  await debug.send('Page.addScriptToEvaluateOnNewDocument', { source: watching(shown) });
  const seen = once(debug, 'Runtime.bindingCalled', { signal: AbortSignal.timeout(LIMIT) });
  let [bytes, requests] = [0, 0];
  const count = ({ encodedDataLength }) => { bytes += encodedDataLength; requests += 1; };
  debug.on('Network.loadingFinished', count);
  await tab.goto(address, { waitUntil: 'commit' });
  const useful = Number((await seen)[0].payload);
  debug.off('Network.loadingFinished', count);
  const painted = await tab.evaluate(() => new Promise((resolve) => {
    const told = (list) => list.getEntriesByName('first-contentful-paint').forEach((entry) => resolve(entry.startTime));
    new PerformanceObserver(told).observe({ type: 'paint', buffered: true });
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
    for (const [name, path, shown] of [['list of sessions', '/', '.row'], ['session', `/#/sessions/${session}`, '.message'], ['an empty page', EMPTY, 'p']]) {
      const visits = [];
      for (let count = 0; count < VISITS; count += 1) visits.push(await visit(browser, `${address}${path}`, shown));
      const of = (key) => median(visits.map((it) => it[key]));
      console.log(`| ${name} | ${Math.round(of('painted'))} ms | ${Math.round(of('useful'))} ms | ${of('moved').toFixed(3)} | ${(of('bytes') / 1024).toFixed(0)} KB | ${of('requests')} |`);
    }
  });
  proxy.close();
}, process.argv[2]);
