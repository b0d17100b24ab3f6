// A page in a real Chromium: `node browser_page.mjs {url} {calls}`. Opens the page and waits until it asks for
// nothing more; then the page makes the calls, a JSON array of `[url, options of fetch]`, one after the other.
// Prints as JSON what the page broke of its policy (`violations`) and complained of (`errors`) until the calls,
// the ids of its elements, its text, and what it could read of each answer: status, headers and body, or the error.
import { withTab } from './chromium.mjs';

const [url, calls] = process.argv.slice(2);

const watch = () => {
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    window.violations.push(`${event.effectiveDirective}: ${event.blockedURI}`);
  });
};
const look = () => ({
  violations: [...window.violations],
  ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
  text: document.body.innerText,
});
// A script within the page, which the policies of ours forbid: whether it ran, and all that was broken by then.
const provoke = async () => {
  const script = document.createElement('script');
  script.textContent = 'window.provoked = true';
  document.body.append(script);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { ran: window.provoked === true, violations: window.violations };
};
const call = async ([address, options]) => {
  try {
    const answer = await fetch(address, options);
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    };
  } catch (error) {
    return { error: error.message };
  }
};

const seen = await withTab(async (tab) => {
  const errors = [];
  tab.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  tab.on('pageerror', (error) => errors.push(error.message));
  await tab.addInitScript(watch);
  const response = await tab.goto(url, { waitUntil: 'networkidle' });
  const page = { status: response.status(), ...await tab.evaluate(look), errors: [...errors] };
  const answers = [];
  for (const one of JSON.parse(calls)) answers.push(await tab.evaluate(call, one));
  return { ...page, answers, provoked: await tab.evaluate(provoke) };
});
console.log(JSON.stringify(seen));
