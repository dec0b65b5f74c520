// Draws dashboards as pictures: node draw.mjs --prometheus http://127.0.0.1:9090 --to SECONDS --range SECONDS --out FOLDER
//   [--board NAME]... [--var brand=northwind]... [--scrape SECONDS] [--theme dark|light] [--width PIXELS]
// Prometheus must be on this machine. Needs Debian's chromium. Prints what it drew and which panels had nothing to show.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const dashboards = join(here, '..', '..', '..', 'grafana', 'dashboards');
const { values: given } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    to: { type: 'string', default: `${Math.floor(Date.now() / 1000)}` },
    range: { type: 'string', default: '300' },
    scrape: { type: 'string', default: '1' },
    out: { type: 'string', default: '.' },
    theme: { type: 'string', default: 'dark' },
    width: { type: 'string', default: '1600' },
    board: { type: 'string', multiple: true, default: ['reputation', 'can-it-page', 'delivery'] },
    var: { type: 'string', multiple: true, default: [] },
  },
});
const work = mkdtempSync(join(tmpdir(), 'draw-'));
const made = await build({
  entryPoints: [join(here, 'page.tsx')],
  bundle: true,
  minify: true,
  outdir: work,
  write: false,
  jsx: 'automatic',
  format: 'iife',
  loader: { '.woff2': 'dataurl', '.woff': 'empty', '.ttf': 'empty', '.svg': 'dataurl', '.png': 'dataurl' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  logLevel: 'error',
});
const files = Object.fromEntries(made.outputFiles.map((file) => [`/${file.path.split('/').at(-1)}`, file.text]));
const html = '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/page.css"><body style="margin:0"><div id="root" style="position:relative"></div><script src="/page.js"></script>';
const server = createServer((ask, answer) => {
  const { pathname } = new URL(ask.url, 'http://localhost');
  const board = /^\/dashboards\/([\w-]+)\.json$/.exec(pathname);
  const text = pathname === '/' ? html : board ? readFileSync(join(dashboards, `${board[1]}.json`), 'utf8') : files[pathname];
  const type = pathname.endsWith('.css') ? 'text/css' : pathname.endsWith('.js') ? 'text/javascript' : board ? 'application/json' : 'text/html';
  answer.writeHead(text === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` });
  answer.end(text ?? '');
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));

const flags = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const browser = await chromium.launchPersistentContext(join(work, 'profile'), {
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: flags.split(' '),
  viewport: { width: Number(given.width), height: 3200 }, // tables draw nothing outside of it
  timezoneId: 'UTC',
  colorScheme: given.theme,
});
let wrong = false;
try {
  const page = await browser.newPage();
  // nothing but this machine is asked
  await page.route('**', (route) => (['127.0.0.1', 'localhost'].includes(new URL(route.request().url()).hostname) ? route.continue() : route.abort()));
  if (process.env.SHOW) page.on('console', (message) => console.error(message.text()));
  page.on('pageerror', (error) => {
    console.error(`error: ${error.stack ?? error}`);
    wrong = true;
  });
  for (const board of given.board) {
    const to = Number(given.to);
    const variables = Object.fromEntries(given.var.map((one) => one.split('=')));
    const wanted = { prometheus: given.prometheus, from: to - Number(given.range), to, scrape: Number(given.scrape), variables };
    const query = new URLSearchParams({ board, theme: given.theme, wanted: JSON.stringify(wanted) });
    await page.goto(`http://127.0.0.1:${server.address().port}/?${query}`);
    const drawn = await (await page.waitForFunction('window.drawn', undefined, { timeout: 60_000 })).jsonValue();
    if (drawn.error) throw new Error(drawn.error);
    await page.waitForTimeout(1500); // what measures itself draws twice
    const path = resolve(given.out, `grafana-${board}.png`);
    await page.locator('#root').screenshot({ path });
    spawnSync('pngquant', ['--force', '--skip-if-larger', '--ext', '.png', '128', path]); // smaller, where it is here
    console.log(`${path}: ${drawn.panels} panels, ${Math.round(statSync(path).size / 1000)} kB; nothing to show: ${drawn.empties.join(', ') || 'none'}`);
  }
} catch (error) {
  console.error(`error: ${error.message}`);
  wrong = true;
} finally {
  await browser.close();
  server.close();
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = wrong ? 1 : 0;
