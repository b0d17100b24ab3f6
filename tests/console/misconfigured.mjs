// A deployment with an invalid variable: the console shows the variable and the remedy.
// `node misconfigured.mjs {base} {viewport} {functions}`: the pages are at `base`, the API of the deployment at `functions`.
import { accessible, base, fits, open, rest, run } from './tab.mjs';

const [functions] = rest;

await run({
  'the status page names the invalid variable and the remedy': async (tab) => {
    await tab.route('**/api/**', (route) => route.continue({ url: functions + route.request().url().slice(base.length) }));
    await open(tab, '#/status');
    await tab.getByRole('heading', { name: 'Configuration: failing' }).waitFor();
    await tab.getByText('STORAGE_FALLBACK is').waitFor();
    await tab.getByText('Correct the variable').waitFor();
    await tab.locator('#health', { hasText: 'Configuration: failing' }).waitFor();
    await tab.getByRole('heading', { name: /^Redis/ }).waitFor({ state: 'detached' });
    await accessible(tab, 'the status page of a misconfigured deployment');
    await fits(tab, 'the status page of a misconfigured deployment');
  },

  'the list shows the error of the misconfigured deployment': async (tab) => {
    await open(tab, '#/sessions');
    await tab.getByText('The service is misconfigured: STORAGE_FALLBACK has an invalid value.').first().waitFor();
  },
}, { expected: /status of 503/ });
