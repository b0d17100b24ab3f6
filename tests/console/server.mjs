// Starts the built local server in a temporary folder, with a Redis that tests can write to.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

// Reads the output of a process until `match` returns a value.
const waitForOutput = (child, match) => new Promise((resolve, reject) => {
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    const found = match(text);
    if (found) resolve(found);
  });
  child.on('exit', (code) => reject(new Error(`the process exited with ${code}: ${text}`)));
  child.on('error', reject);
});

// Calls `use` with the server's URL and a function that runs Redis commands. Stops both afterwards.
export const withServer = async (use, profile = 'debug') => {
  const folder = mkdtempSync(join(tmpdir(), 'llmos-'));
  const socket = join(folder, 'redis.sock');
  symlinkSync(join(root, 'public'), join(folder, 'public'));
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let server;
  try {
    await waitForOutput(redis, (text) => /[Rr]eady to accept connections/.test(text));
    const environment = { PATH: process.env.PATH, PORT: '0', REDIS_URL: `redis+unix://${socket}` };
    server = spawn(join(root, `target/${profile}/llmos`), [], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const base = await waitForOutput(server, (text) => text.match(/http:\/\/[\d.]+:\d+/)?.[0]);
    return await use(base, (...command) => execFileSync('redis-cli', ['-s', socket, ...command]));
  } finally {
    server?.kill();
    redis.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
};
