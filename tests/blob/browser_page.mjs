// A page in a real Chromium: `node browser_page.mjs {url} {calls} [{image}]`. Opens the page, waits until the network is idle, and makes
// the calls, a JSON array of `[url, fetch options]`, in order. Prints as JSON: violations of the content security policy and
// console errors before the calls, the ids and the text of the page, and each response as the page sees it: status, headers
// and body, or the error; and whether the page shows the image at this URL.
import { withTab } from './chromium.mjs';

const [url, calls, image] = process.argv.slice(2);

const watch = () => {
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    window.violations.push(`${event.effectiveDirective}: ${event.blockedURI}`);
  });
};
const readPage = () => ({
  violations: [...window.violations],
  ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
  text: document.body.innerText,
});
// Adds an inline script, which the policy forbids. Returns whether it ran, and all violations so far.
const addInlineScript = async () => {
  const script = document.createElement('script');
  script.textContent = 'window.provoked = true';
  document.body.append(script);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { ran: window.provoked === true, violations: window.violations };
};
const call = async ([address, options]) => {
  try {
    const response = await fetch(address, options);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
  } catch (error) {
    return { error: error.message };
  }
};

const showImage = (address) => new Promise((resolve) => {
  const element = document.createElement('img');
  element.onload = () => resolve(element.naturalWidth > 0);
  element.onerror = () => resolve(false);
  element.src = address;
  document.body.append(element);
});

const result = await withTab(async (tab) => {
  const errors = [];
  tab.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  tab.on('pageerror', (error) => errors.push(error.message));
  await tab.addInitScript(watch);
  const response = await tab.goto(url, { waitUntil: 'networkidle' });
  const page = { status: response.status(), ...await tab.evaluate(readPage), errors: [...errors] };
  const answers = [];
  for (const request of JSON.parse(calls)) answers.push(await tab.evaluate(call, request));
  const shown = image && await tab.evaluate(showImage, image);
  return { ...page, answers, image: shown, provoked: await tab.evaluate(addInlineScript) };
});
console.log(JSON.stringify(result));
