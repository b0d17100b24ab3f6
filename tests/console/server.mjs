// The local server as it is built, in a folder of its own, with a Redis that can be written to beside it.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

// What a process prints, until `found` gives something of it.
const printed = (child, found) => new Promise((resolve, reject) => {
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    const seen = found(text);
    if (seen) resolve(seen);
  });
  child.on('exit', (code) => reject(new Error(`it ended with ${code}: ${text}`)));
  child.on('error', reject);
});

// Gives what `use` makes of the server's address and of a way to write to its Redis; both end with it.
export const withServer = async (use, profile = 'debug') => {
  const folder = mkdtempSync(join(tmpdir(), 'llmos-'));
  const socket = join(folder, 'redis.sock');
  symlinkSync(join(root, 'public'), join(folder, 'public'));
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let server;
  try {
    await printed(redis, (text) => /[Rr]eady to accept connections/.test(text));
    const environment = { PATH: process.env.PATH, PORT: '0', REDIS_URL: `redis+unix://${socket}` };
    server = spawn(join(root, `target/${profile}/dev`), [], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const base = await printed(server, (text) => text.match(/http:\/\/[\d.]+:\d+/)?.[0]);
    return await use(base, (...command) => execFileSync('redis-cli', ['-s', socket, ...command]));
  } finally {
    server?.kill();
    redis.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
};
