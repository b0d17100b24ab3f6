// A client of llmos for web pages: `const llmos = new Llmos({ token: () => auth.getToken() });`
//
// Temporary failures (no network, 429, 502, 503, 504) are retried; no write is applied twice. Methods return the JSON
// of the API; sessions get their `etag` from the header. llmos.d.ts has the types.

/** The maximum bytes of a file sent through the function. */
export const MAX_FUNCTION_BYTES = 4 * 1024 * 1024;
const PART_BYTES = 8 * 1024 * 1024;
const PARALLEL_PARTS = 3;
/** The server ends a request after 25 s. */
const ATTEMPT_TIMEOUT_MS = 30_000;
const MIN_DELAY_MS = 300;
const MAX_DELAY_MS = 10_000;
/** A longer `Retry-After` is an error. */
const MAX_WAIT_MS = 60_000;
const RETRYABLE_STATUSES = [429, 502, 503, 504];

/** A failed request. `message` is for people; `code` is stable, and `network` if there was no response. */
export class LlmosError extends Error {
  constructor(detail, { status = 0, code = "network", requestId = null, errors = [], current = null, retryAfter = 0,
    cause } = {}) {
    super(detail, { cause });
    this.name = "LlmosError";
    this.detail = detail;
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.errors = errors;
    this.current = current;
    this.retryAfter = retryAfter;
    this.attempts = 1;
  }
}

/** A number with more digits than `Number`. */
export class ExactNumber {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
  valueOf() { return Number(this.text); }
  toJSON() { return JSON.rawJSON ? JSON.rawJSON(this.text) : Number(this.text); }
}

const MARK = `number ${Math.random()} `;
const LONG_NUMBER = /[\d.]{16}|\de[+-]?\d{3}/i;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?/gi;
const digits = (number) => String(number).replace(/e.*/i, "").replace(/[-.]/g, "").replace(/^0+|0+$/g, "");

/** Keeps all digits. */
export function parseJson(text) {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  const marked = text.replace(STRING_OR_NUMBER, (token) => (token[0] === '"' || digits(token) === digits(Number(token)) ? token : `"${MARK}${token}"`));
  return JSON.parse(marked, (_, value) => (typeof value === "string" && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value));
}

/** Keeps all digits. */
export function toJson(value, space) {
  const text = JSON.stringify(value, function mark(name, it) { return this[name] instanceof ExactNumber ? MARK + this[name].text : it; }, space);
  return text?.replaceAll(new RegExp(`"${MARK}(.*?)"`, "g"), "$1");
}

const sleep = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});
const quote = (etag) => (/^(W\/)?"/.test(etag) ? etag.replace(/^W\//, "") : `"${etag}"`);
const encode = encodeURIComponent;
const encodePath = (path) => path.split("/").map(encode).join("/");
const toQuery = (query) => {
  const entries = Object.entries(query).flatMap(([name, value]) => [value].flat().map((it) => [name, it])).filter(([, value]) => (value ?? "") !== "");
  return entries.length > 0 ? `?${new URLSearchParams(entries)}` : "";
};

function toError(status, headers, text) {
  let problem = {};
  try { problem = parseJson(text); } catch { /* Not JSON: the text uses the status. */ }
  // Blob's errors are {error: {code, message}}.
  const detail = problem.detail ?? problem.error?.message ?? `The server returned status ${status}.`;
  return new LlmosError(detail, {
    status,
    code: problem.code ?? problem.error?.code ?? "unknown",
    requestId: problem.request_id ?? headers.get("x-request-id"),
    errors: problem.errors,
    current: problem.current && { etag: headers.get("etag"), ...problem.current },
    retryAfter: 1000 * (Number(headers.get("retry-after")) || 0),
  });
}

/** A client of one deployment. */
export class Llmos {
  #base; #token; #fetch; #options;

  constructor({ base = "", token = null, retries = 4, onRetry, fetch = (...rest) => globalThis.fetch(...rest) } = {}) {
    this.#base = base.replace(/\/$/, "");
    this.#token = token;
    this.#fetch = fetch;
    this.#options = { retries, onRetry };
    this.sessions = new Sessions(this);
    this.messages = new Messages(this);
    this.skills = new Skills(this);
    this.files = new Files(this);
    this.chat = new Chat(this);
  }

  /** Returns the health of each part. A failing part is not an error. */
  health(options) {
    return this.json("GET", "/api/health", { ...options, accepts: (result) => result.status === 503
      && result.headers.get("content-type")?.startsWith("application/json") });
  }

  me(options) {
    return this.json("GET", "/api/me", options);
  }

  /** Calls any route; `accepts` returns true for error responses to return. */
  async call(method, path, { query = {}, json, body, headers = {}, accepts, keepalive, cache = "no-store",
    timeout = ATTEMPT_TIMEOUT_MS, ...options } = {}) {
    const fields = { "idempotency-key": options.idempotencyKey, ...headers };
    if (options.ifMatch) fields["if-match"] = quote(options.ifMatch);
    if (json !== undefined) fields["content-type"] = "application/json";
    return this.repeat(options, async () => {
      const all = { ...fields, authorization: await this.authorization() };
      const entries = Object.entries(all).filter(([, value]) => value);
      const response = await this.#fetch(this.url(path, query), {
        method, keepalive, cache, headers: entries, body: json === undefined ? body : toJson(json),
        signal: AbortSignal.any([options.signal, timeout && AbortSignal.timeout(timeout)].filter(Boolean)),
      });
      if (!response.ok && response.status !== 304 && !accepts?.(response)) {
        throw toError(response.status, response.headers, await response.text());
      }
      return response;
    });
  }

  url(path, query = {}) {
    return this.#base + path + toQuery(query);
  }

  async authorization() {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    return token ? `Bearer ${token}` : undefined;
  }

  async repeat(options, attempt) {
    const { retries, onRetry, signal } = { ...this.#options, ...options };
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt();
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        const error = cause instanceof LlmosError ? cause
          : new LlmosError("The server is unreachable.", { cause });
        error.attempts = attempts;
        const isFinal = (error.status !== 0 && !RETRYABLE_STATUSES.includes(error.status)) || error.retryAfter > MAX_WAIT_MS;
        if (isFinal || attempts > retries) throw error;
        const backoff = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2);
        const delay = Math.max(backoff, error.retryAfter);
        onRetry?.({ error, attempt: attempts, delay });
        await sleep(delay, signal);
      }
    }
  }

  /** Yields the pages of a list. */
  async *pages(list, query, options) {
    let cursor = query.cursor;
    do {
      const page = await list({ ...query, cursor }, options);
      yield page;
      cursor = page.next_cursor;
    } while (cursor);
  }

  async json(method, path, options) {
    return parseJson(await (await this.call(method, path, options)).text());
  }

  /** Adds the entity tag of the header. Returns null for a 304. */
  async entity(method, path, options) {
    const response = await this.call(method, path, options);
    if (response.status === 304) return null;
    const body = parseJson(await response.text());
    const etag = response.headers.get("etag");
    return etag && !body.etag ? { ...body, etag } : body;
  }

  /** A 404 on a retry means that the first attempt succeeded. */
  async remove(path, options) {
    try {
      await this.call("DELETE", path, options);
    } catch (error) {
      if (!(error.attempts > 1 && error.status === 404)) throw error;
    }
  }
}

const withKey = (options = {}) => ({ idempotencyKey: crypto.randomUUID(), ...options });

class Sessions {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  create(session, options) {
    return this.#llmos.entity("POST", "/api/sessions", { json: session, ...withKey(options) });
  }

  /** Returns a page, latest activity first. */
  list(query = {}, options) {
    return this.#llmos.json("GET", "/api/sessions", { query, ...options });
  }

  /** Yields all pages. */
  pages(query = {}, options) {
    return this.#llmos.pages(this.list.bind(this), query, options);
  }

  /** Returns a session with its latest messages, or null if `etag` is still current. */
  find(id, { messages, etag } = {}, options) {
    const headers = { "if-none-match": etag && quote(etag) };
    return this.#llmos.entity("GET", `/api/sessions/${encode(id)}`, { query: { messages }, headers, ...options });
  }

  update(id, change, options) {
    return this.#llmos.entity("PATCH", `/api/sessions/${encode(id)}`, { json: change, ...withKey(options) });
  }

  batch(change, options) {
    return this.#llmos.json("POST", "/api/sessions/batch", { json: change, ...withKey(options) });
  }

  /** Makes the branch of a message the active one. */
  activate(id, message_id, options) {
    return this.#llmos.entity("PUT", `/api/sessions/${encode(id)}/branch`, { json: { message_id }, ...options });
  }

  /** Creates a session with the messages of a branch. */
  fork(id, fork = {}, options) {
    return this.#llmos.entity("POST", `/api/sessions/${encode(id)}/fork`, { json: fork, ...withKey(options) });
  }

  /** Deletes a session with its messages. */
  delete(id, options) {
    return this.#llmos.remove(`/api/sessions/${encode(id)}`, options);
  }
}

const toMessage = (sessionId, id) => `/api/sessions/${encode(sessionId)}/messages/${encode(id)}`;

class Messages {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** Appends one message, or up to 100 atomically. */
  append(sessionId, messages, options) {
    const json = Array.isArray(messages) ? { messages } : messages;
    return this.#llmos.json("POST", `/api/sessions/${encode(sessionId)}/messages`, { json, ...withKey(options) });
  }

  /** Returns the latest messages, or those next to `before` or `after`. */
  list(sessionId, query = {}, options) {
    return this.#llmos.json("GET", `/api/sessions/${encode(sessionId)}/messages`, { query, ...options });
  }

  find(sessionId, id, options) {
    return this.#llmos.entity("GET", toMessage(sessionId, id), options);
  }

  /** Stores a whole message under its id: it is appended, or replaced in place. */
  put(sessionId, id, message, options) {
    return this.#llmos.entity("PUT", toMessage(sessionId, id), { json: message, ...options });
  }

  /** Changes members in place. */
  update(sessionId, id, change, options) {
    return this.#llmos.entity("PATCH", toMessage(sessionId, id), { json: change, ...options });
  }

  delete(sessionId, id, options) {
    return this.#llmos.remove(toMessage(sessionId, id), options);
  }

  /** Compares a whole history with the stored one. */
  merge(sessionId, messages, options) {
    return this.#llmos.json("PUT", `/api/sessions/${encode(sessionId)}/messages`, { json: { messages }, ...options });
  }

  /** Yields all pages, forward from `after`, or else backward. */
  async *pages(sessionId, query = {}, options) {
    for (let page, next = {}; page?.has_more !== false;) {
      page = await this.list(sessionId, { ...query, ...next }, options);
      yield page;
      next = query.after === undefined ? { before: page.messages[0]?.seq } : { after: page.messages.at(-1)?.seq };
    }
  }
}

class Skills {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** Creates a skill from fields, or from a document (a string). */
  create(skill, scope = {}, options) {
    return this.#llmos.entity("POST", "/api/skills", { query: scope, ...toBody(skill), ...withKey(options) });
  }

  /** Returns a page, sorted by id. `effective` merges the user's, the team's and the system's skills. */
  list(query = {}, options) {
    return this.#llmos.json("GET", "/api/skills", { query, ...options });
  }

  /** Yields all pages. */
  pages(query = {}, options) {
    return this.#llmos.pages(this.list.bind(this), query, options);
  }

  /** Returns a skill with its document in `content`. */
  find(id, scope = {}, options) {
    return this.#llmos.entity("GET", `/api/skills/${encode(id)}`, { query: { ...scope, format: "json" }, ...options });
  }

  /** Changes fields, or the document (a string). */
  update(id, change, scope = {}, options) {
    return this.#llmos.entity("PUT", `/api/skills/${encode(id)}`, { query: scope, ...toBody(change), ...withKey(options) });
  }

  delete(id, scope = {}, options) {
    return this.#llmos.remove(`/api/skills/${encode(id)}`, { query: scope, ...options });
  }

  /** Checks a document. */
  validate(content, options) {
    return this.#llmos.json("POST", "/api/skills/validate", { ...toBody(content), ...options });
  }

  /** Reports a use. */
  used(id, use, scope = {}, options) {
    return this.#llmos.json("POST", `/api/skills/${encode(id)}/usage`, { query: scope, json: use, ...withKey(options) });
  }
}

const toBody = (skill) => (typeof skill === "string"
  ? { body: skill, headers: { "content-type": "text/markdown" } } : { json: skill });

class Files {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** Returns a page, sorted by path. `folded` groups paths by the next `/`. */
  list(query = {}, options) {
    return this.#llmos.json("GET", "/api/files", { query, ...options });
  }

  /** Yields all pages. */
  pages(query = {}, options) {
    return this.#llmos.pages(this.list.bind(this), query, options);
  }

  /** Returns the response with the file as its body. */
  find(path, scope = {}, options) {
    return this.#llmos.call("GET", `/api/files/${encodePath(path)}`, { query: scope, cache: "default", ...options });
  }

  /** Returns a URL that works without a token for `seconds` (300); `download` makes browsers save it. */
  async link(path, { seconds, download, ...scope } = {}, options) {
    const link = await this.#llmos.json("POST", "/api/files/link", { query: scope, json: { path, seconds, download }, ...options });
    return { ...link, url: this.#llmos.url(link.url) };
  }

  /** Stores a file: a large one as multipart upload to Blob. `onlyNew` and `ifMatch` apply to small files only. */
  async put(path, content, scope = {}, options = {}) {
    if (content.size > MAX_FUNCTION_BYTES) return this.#putParts(path, content, scope, options);
    const headers = { "content-type": content.type, "idempotency-key": withKey(options).idempotencyKey };
    if (options.onlyNew) headers["if-none-match"] = "*";
    if (options.ifMatch) headers["if-match"] = quote(options.ifMatch);
    await this.#llmos.repeat(options, async () => {
      const authorization = await this.#llmos.authorization();
      const url = this.#llmos.url(`/api/files/${encodePath(path)}`, scope);
      return send("PUT", url, { ...headers, authorization }, content, options);
    });
  }

  delete(path, scope = {}, options) {
    return this.#llmos.remove(`/api/files/${encodePath(path)}`, { query: scope, ...options });
  }

  /** Uploads parts to Blob. */
  async #putParts(path, content, { volume = "user", volume_id = volume === "system" ? "system" : "default" }, options) {
    const payload = {
      pathname: `volumes/${volume}/${volume_id}/files/${path}`,
      clientPayload: JSON.stringify({ size: content.size, content_type: content.type || undefined }),
      multipart: true,
    };
    const event = { type: "blob.generate-client-token", payload };
    const grant = await this.#llmos.json("POST", "/api/files/upload", { json: event, ...options });
    const url = `${grant.url}/mpu${toQuery({ pathname: grant.pathname })}`;
    const common = {
      authorization: `Bearer ${grant.clientToken}`, "x-api-version": "12", "x-vercel-blob-access": grant.access,
      "x-content-type": grant.contentType,
    };
    const step = (action, body, headers = {}, onProgress = undefined) => this.#llmos.repeat(options, () =>
      send("POST", url, { ...common, "x-mpu-action": action, ...headers }, body, { signal: options.signal, onProgress }));
    const upload = await step("create", null);
    const ids = { "x-mpu-key": encode(upload.key), "x-mpu-upload-id": upload.uploadId };
    const count = Math.ceil(content.size / PART_BYTES);
    const sent = new Array(count).fill(0);
    const parts = new Array(count);
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const index = next++;
        const part = content.slice(index * PART_BYTES, (index + 1) * PART_BYTES);
        const report = (bytes) => {
          sent[index] = bytes;
          options.onProgress?.(sent.reduce((sum, it) => sum + it, 0), content.size);
        };
        const { etag } = await step("upload", part, { ...ids, "x-mpu-part-number": String(index + 1) }, report);
        parts[index] = { etag, partNumber: index + 1 };
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, worker));
    await step("complete", JSON.stringify(parts), { ...ids, "content-type": "application/json" });
  }
}

class Chat {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** Sends a message. Returns the answer, whose chunks are iterated. */
  send({ sessionId, signal, ...body }, options) {
    return this.#answer({ sessionId, signal, body, ...options });
  }

  /** Reads the answer of a running turn from its beginning; without one there are no chunks. */
  resume(sessionId, options) {
    return this.#answer({ sessionId, ...options });
  }

  stop(sessionId, turn_id, options) {
    return this.#llmos.json("POST", `/api/chat/${encode(sessionId)}/stop`, { json: { turn_id }, ...options });
  }

  /** Returns the current or last turn, or null. */
  async turn(sessionId, options) {
    return (await this.#llmos.json("GET", `/api/chat/${encode(sessionId)}/turn`, options)).turn;
  }

  #answer(request) {
    let answer;
    const load = () => (answer ??= import("./llmos-chat.js").then((it) => new it.Answer(this.#llmos, { parseJson, LlmosError }, request)));
    return { stop: async () => (await load()).stop(), async *[Symbol.asyncIterator]() { yield* await load(); } };
  }
}

/** Unlike `fetch`, reports progress. */
function send(method, url, headers, body, { onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) if (value) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded, event.total);
    request.onload = () => {
      const responseHeaders = { get: (name) => request.getResponseHeader(name) };
      if (request.status >= 300) reject(toError(request.status, responseHeaders, request.responseText));
      else resolve(request.responseText ? JSON.parse(request.responseText) : null);
    };
    request.onerror = () => reject(new LlmosError("The server is unreachable."));
    request.onabort = () => reject(signal?.reason);
    if (signal?.aborted) { reject(signal.reason); return; }
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}
