// A client of llmos for web pages: sessions, messages, skills, files and health. One module, no dependencies.
//
//     import { Llmos } from "/llmos.js";
//     const llmos = new Llmos({ token: () => auth.getToken() });
//     const session = await llmos.sessions.create({ name: "Notes", volume: "user" });
//     await llmos.messages.append(session.id, { role: "user", content: "Hello!" });
//     for await (const page of llmos.sessions.pages({ volume: "user" })) console.log(page.sessions);
//
// What fails for a while (no network, 429, 503, 504) is tried again with growing pauses. That is safe: what creates
// or appends carries an `Idempotency-Key`, and everything else may be repeated. What is answered is what the API
// answers, with names as in JSON; sessions get their `etag` out of the header.

/**
 * @typedef {"user" | "team" | "system"} Volume
 * @typedef {{volume?: Volume, volume_id?: string}} Scope Whose it is; `volume_id` is `default` if not given.
 * @typedef {{role: "user" | "assistant" | "system" | "tool", content: string, timestamp?: string, traces?: unknown,
 *   artifacts?: unknown}} NewMessage
 * @typedef {NewMessage & {id: string, seq: number, timestamp: string, unreadable?: boolean}} Message
 * @typedef {{id: string, name: string, volume: Volume, volume_id: string, status: "active" | "paused" | "completed",
 *   metadata: Object<string, unknown>, traces_count: number, message_count: number, created_at: string,
 *   updated_at: string, messages?: Message[], etag?: string, fallback?: boolean}} Session
 * @typedef {{id: string, name: string, description: string | null, code: string | null, language: string | null,
 *   tags: string[], keywords: string[], category: string | null, warnings: string[], volume: Volume,
 *   volume_id: string, usage_count: number | null, success_rate: number | null, size_bytes: number, etag: string,
 *   created_at: string, updated_at: string, content?: string, fallback?: boolean}} Skill
 * @typedef {{path: string, volume: Volume, volume_id: string, size_bytes: number, content_type?: string, etag: string,
 *   updated_at: string | null}} File
 * @typedef {{status: "ok" | "not_configured" | "failing", milliseconds?: number, reason?: string,
 *   remedy?: string}} Part
 * @typedef {{status: string, version: string, commit: string | null, region: string | null,
 *   environment: string | null, redis: Part, blob: Part}} Health
 * @typedef {{signed_in: boolean, volume: Volume, volume_id: string, teams: string[], all_volumes: boolean,
 *   read_only: boolean}} Me
 * @typedef {{signal?: AbortSignal, retries?: number, idempotencyKey?: string, ifMatch?: string, keepalive?: boolean,
 *   onRetry?: (retry: {error: LlmosError, attempt: number, delay: number}) => void}} Options `signal` gives up;
 *   `ifMatch`, an `etag`, changes only what nobody changed since.
 */

/** The largest file that goes through the function, in bytes: larger ones go straight to Blob. */
export const MAX_FUNCTION_BYTES = 4 * 1024 * 1024;
/** The size of the parts in which large files are sent, in bytes; how many at once. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 3;
/** How long one try may take, in milliseconds: the server ends a request after 25 s. */
const TRY_LIMIT = 30_000;
/** The pause before the second try, and the longest one, in milliseconds. */
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 10_000;
const WORTH_REPEATING = [429, 502, 503, 504];

/** Whatever went wrong. `message` is for people; `code` is stable, `network` where there was no answer. */
export class LlmosError extends Error {
  constructor(detail, { status = 0, code = "network", requestId = null, errors = [], current = null, retryAfter = 0,
    cause } = {}) {
    super(detail, { cause });
    /** @type {string} */ this.name = "LlmosError";
    /** @type {string} What happened, in words. */ this.detail = detail;
    /** @type {number} The status of the answer; 0 where there was none. */ this.status = status;
    /** @type {string} `not_found`, `precondition_failed`, …: the README lists them. */ this.code = code;
    /** @type {string | null} Under which the server logged it. */ this.requestId = requestId;
    /** @type {{field: string, message: string}[]} With 422: which fields. */ this.errors = errors;
    /** @type {any} With 412: what is there now. */ this.current = current;
    /** @type {number} In how many milliseconds to try again, where the server says so. */ this.retryAfter = retryAfter;
    /** @type {number} How many tries were made. */ this.attempts = 1;
  }
}

const pause = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});
const quoted = (etag) => (/^(W\/)?"/.test(etag) ? etag.replace(/^W\//, "") : `"${etag}"`);
const encoded = encodeURIComponent;
const pathOf = (path) => path.split("/").map(encoded).join("/");
const queryOf = (query) => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
};

function failure(status, headers, text) {
  let problem = {};
  try { problem = JSON.parse(text); } catch { /* Then the status has to do. */ }
  // Blob says {error: {code, message}}.
  const detail = problem.detail ?? problem.error?.message ?? `The server answered ${status}.`;
  return new LlmosError(detail, {
    status,
    code: problem.code ?? problem.error?.code ?? "unknown",
    requestId: problem.request_id ?? headers.get("x-request-id"),
    errors: problem.errors,
    current: problem.current && { etag: headers.get("etag"), ...problem.current },
    retryAfter: 1000 * (Number(headers.get("retry-after")) || 0),
  });
}

/** Where to send calls, and as whom. */
export class Llmos {
  #base; #token; #fetch; #options;

  /**
   * @param {{base?: string, token?: string | (() => string | null | Promise<string | null>) | null,
   *   retries?: number, onRetry?: Options["onRetry"], fetch?: typeof fetch}} [options] `base` is the deployment's
   *   origin, if it is not the page's own; a `token` that is a function is asked before each try; `retries`, 4 if not
   *   given, is how often a failed call is tried again; `fetch` takes the place of the browser's.
   */
  constructor({ base = "", token = null, retries = 4, onRetry, fetch = (...given) => globalThis.fetch(...given) } = {}) {
    this.#base = base.replace(/\/$/, "");
    this.#token = token;
    this.#fetch = fetch;
    this.#options = { retries, onRetry };
    this.sessions = new Sessions(this);
    this.messages = new Messages(this);
    this.skills = new Skills(this);
    this.files = new Files(this);
  }

  /** Whether each part works. That one does not is no error here. @param {Options} [options] @returns {Promise<Health>} */
  async health(options) {
    const answer = await this.call("GET", "/api/health", { ...options, accepts: (answer) => answer.status === 503
      && answer.headers.get("content-type")?.startsWith("application/json") });
    return answer.json();
  }

  /** Who calls, and what they may. @param {Options} [options] @returns {Promise<Me>} */
  async me(options) {
    return (await this.call("GET", "/api/me", options)).json();
  }

  /**
   * One call of any route: the others are made of it.
   * @param {string} method
   * @param {string} path From `/api/` on, encoded.
   * @param {Options & {query?: Object, json?: unknown, body?: BodyInit, headers?: Object<string, string | undefined>,
   *   accepts?: (answer: Response) => boolean}} [options] `accepts` says which failures are none.
   * @returns {Promise<Response>}
   * @throws {LlmosError} or the reason of `signal`
   */
  async call(method, path, { query = {}, json, body, headers = {}, accepts, keepalive, ...options } = {}) {
    const sent = { "idempotency-key": options.idempotencyKey, ...headers };
    if (options.ifMatch) sent["if-match"] = quoted(options.ifMatch);
    if (json !== undefined) sent["content-type"] = "application/json";
    return this.repeat(options, async () => {
      const all = { ...sent, authorization: await this.authorization() };
      const given = Object.entries(all).filter(([, value]) => value);
      const limit = AbortSignal.timeout(TRY_LIMIT);
      const answer = await this.#fetch(this.url(path, query), {
        method, keepalive, headers: given, body: json === undefined ? body : JSON.stringify(json), cache: "no-store",
        signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
      });
      if (!answer.ok && answer.status !== 304 && !accepts?.(answer)) {
        throw failure(answer.status, answer.headers, await answer.text());
      }
      return answer;
    });
  }

  /** The address of a path of the API. */
  url(path, query = {}) {
    return this.#base + path + queryOf(query);
  }

  /** What `Authorization` says, if anything. @returns {Promise<string | undefined>} */
  async authorization() {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    return token ? `Bearer ${token}` : undefined;
  }

  /** Does `attempt` until it works, its failure is final, or `retries` are used up. */
  async repeat(options, attempt) {
    const { retries, onRetry, signal } = { ...this.#options, ...options };
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt();
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        const error = cause instanceof LlmosError ? cause
          : new LlmosError("The server cannot be reached.", { cause });
        error.attempts = attempts;
        const isFinal = error.status !== 0 && !WORTH_REPEATING.includes(error.status);
        if (isFinal || attempts > retries) throw error;
        const grown = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2);
        const delay = Math.max(grown, error.retryAfter);
        onRetry?.({ error, attempt: attempts, delay });
        await pause(delay, signal);
      }
    }
  }

  /** Pages of a list, one after another. */
  async *pages(list, query, options) {
    let cursor = query.cursor;
    do {
      const page = await list({ ...query, cursor }, options);
      yield page;
      cursor = page.next_cursor;
    } while (cursor);
  }

  /** A change under a condition. A repeated one that finds itself done is done. */
  async change(method, path, change, options) {
    try {
      return await withTag(await this.call(method, path, options));
    } catch (error) {
      const isDone = error.attempts > 1 && error.code === "precondition_failed"
        && Object.entries(change).every(([name, value]) => JSON.stringify(error.current?.[name]) === JSON.stringify(value));
      if (isDone) return error.current;
      throw error;
    }
  }

  /** A deletion. A repeated one that finds nothing is done. */
  async remove(path, options) {
    try {
      await this.call("DELETE", path, options);
    } catch (error) {
      if (!(error.attempts > 1 && error.status === 404)) throw error;
    }
  }
}

/** A body with the entity tag of its header; nothing of a 304. */
async function withTag(answer) {
  if (answer.status === 304) return null;
  const body = await answer.json();
  const etag = answer.headers.get("etag");
  return etag && !body.etag ? { ...body, etag } : body;
}
const once = (options = {}) => ({ idempotencyKey: crypto.randomUUID(), ...options });

class Sessions {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** @param {{name: string, volume: Volume, volume_id?: string, initial_message?: string, metadata?: Object}} session @param {Options} [options] @returns {Promise<Session>} */
  async create(session, options) {
    return withTag(await this.#llmos.call("POST", "/api/sessions", { json: session, ...once(options) }));
  }

  /** A page, the latest activity first. @param {Scope & {status?: string, limit?: number, cursor?: string}} [query] @param {Options} [options] @returns {Promise<{sessions: Session[], next_cursor: string | null, fallback?: boolean}>} */
  async list(query = {}, options) {
    return (await this.#llmos.call("GET", "/api/sessions", { query, ...options })).json();
  }

  /** All pages. @param {Parameters<Sessions["list"]>[0]} [query] @param {Options} [options] */
  pages(query = {}, options) {
    return this.#llmos.pages(this.list.bind(this), query, options);
  }

  /** With its latest messages. `null` where `etag` is that of what is there. @param {string} id @param {{messages?: number, etag?: string}} [query] @param {Options} [options] @returns {Promise<Session | null>} */
  async find(id, { messages, etag } = {}, options) {
    const headers = { "if-none-match": etag && quoted(etag) };
    return withTag(await this.#llmos.call("GET", `/api/sessions/${encoded(id)}`, { query: { messages }, headers, ...options }));
  }

  /** @param {string} id @param {{name?: string, status?: string, metadata?: Object}} change @param {Options} [options] @returns {Promise<Session>} */
  update(id, change, options) {
    return this.#llmos.change("PATCH", `/api/sessions/${encoded(id)}`, change, { json: change, ...options });
  }

  /** With its messages. @param {string} id @param {Options} [options] @returns {Promise<void>} */
  delete(id, options) {
    return this.#llmos.remove(`/api/sessions/${encoded(id)}`, options);
  }
}

class Messages {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** One message, or up to 100, all or none. @param {string} sessionId @param {NewMessage | NewMessage[]} messages @param {Options} [options] @returns {Promise<{messages: Message[], message_count: number}>} */
  async append(sessionId, messages, options) {
    const json = Array.isArray(messages) ? { messages } : messages;
    return (await this.#llmos.call("POST", `/api/sessions/${encoded(sessionId)}/messages`, { json, ...once(options) })).json();
  }

  /** A page, in order: the latest, or those next to `before` or `after`. @param {string} sessionId @param {{limit?: number, before?: number, after?: number}} [query] @param {Options} [options] @returns {Promise<{messages: Message[], has_more: boolean}>} */
  async list(sessionId, query = {}, options) {
    return (await this.#llmos.call("GET", `/api/sessions/${encoded(sessionId)}/messages`, { query, ...options })).json();
  }

  /** All pages: from `after` on (0: from the first message), or, without it, back from the latest. @param {string} sessionId @param {{limit?: number, before?: number, after?: number}} [query] @param {Options} [options] */
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

  /** A skill by its fields, or, as a string, a whole markdown document. @param {Object | string} skill @param {Scope} [scope] @param {Options} [options] @returns {Promise<Skill>} */
  async create(skill, scope = {}, options) {
    return withTag(await this.#llmos.call("POST", "/api/skills", { query: scope, ...documentOf(skill), ...once(options) }));
  }

  /** A page, by id. `effective` merges one's own, a team's and the system's. @param {Scope & {q?: string, tag?: string, category?: string, effective?: boolean, user_id?: string, team_id?: string, limit?: number, cursor?: string}} [query] @param {Options} [options] @returns {Promise<{skills: Skill[], next_cursor: string | null, fallback?: boolean}>} */
  async list(query = {}, options) {
    return (await this.#llmos.call("GET", "/api/skills", { query, ...options })).json();
  }

  /** All pages. @param {Parameters<Skills["list"]>[0]} [query] @param {Options} [options] */
  pages(query = {}, options) {
    return this.#llmos.pages(this.list.bind(this), query, options);
  }

  /** With its document, as `content`. @param {string} id @param {Scope} [scope] @param {Options} [options] @returns {Promise<Skill>} */
  async find(id, scope = {}, options) {
    return withTag(await this.#llmos.call("GET", `/api/skills/${encoded(id)}`, { query: { ...scope, format: "json" }, ...options }));
  }

  /** By its fields, or, as a string, the whole document. @param {string} id @param {Object | string} change @param {Scope} [scope] @param {Options} [options] @returns {Promise<Skill>} */
  update(id, change, scope = {}, options) {
    const fields = typeof change === "string" ? { content: change } : change;
    return this.#llmos.change("PUT", `/api/skills/${encoded(id)}`, fields, { query: scope, ...documentOf(change), ...options });
  }

  /** @param {string} id @param {Scope} [scope] @param {Options} [options] @returns {Promise<void>} */
  delete(id, scope = {}, options) {
    return this.#llmos.remove(`/api/skills/${encoded(id)}`, { query: scope, ...options });
  }

  /** What is odd about a document; stores nothing. @param {string} content @param {Options} [options] @returns {Promise<{valid: boolean, id: string | null, warnings: string[]}>} */
  async validate(content, options) {
    return (await this.#llmos.call("POST", "/api/skills/validate", { ...documentOf(content), ...options })).json();
  }

  /** Tells of a use. @param {string} id @param {{success: boolean, duration_ms?: number}} use @param {Scope} [scope] @param {Options} [options] @returns {Promise<{id: string, usage_count: number, success_rate: number}>} */
  async used(id, use, scope = {}, options) {
    return (await this.#llmos.call("POST", `/api/skills/${encoded(id)}/usage`, { query: scope, json: use, ...once(options) })).json();
  }
}

const documentOf = (skill) => (typeof skill === "string"
  ? { body: skill, headers: { "content-type": "text/markdown" } } : { json: skill });

class Files {
  #llmos;
  constructor(llmos) { this.#llmos = llmos; }

  /** A page, by path. `folded` stops at the next `/`. @param {Scope & {prefix?: string, folded?: boolean, limit?: number, cursor?: string}} [query] @param {Options} [options] @returns {Promise<{files: File[], folders: string[], next_cursor: string | null}>} */
  async list(query = {}, options) {
    return (await this.#llmos.call("GET", "/api/files", { query, ...options })).json();
  }

  /** All pages. @param {Parameters<Files["list"]>[0]} [query] @param {Options} [options] */
  pages(query = {}, options) {
    return this.#llmos.pages(this.list.bind(this), query, options);
  }

  /** Its bytes, as an answer to be read. @param {string} path @param {Scope} [scope] @param {Options} [options] @returns {Promise<Response>} */
  find(path, scope = {}, options) {
    return this.#llmos.call("GET", `/api/files/${pathOf(path)}`, { query: scope, ...options });
  }

  /** An address that gets it for a while without a token, for pictures, players and downloads: `seconds` is how long, 300 if not given; `download` has a browser save it. @param {string} path @param {Scope & {seconds?: number, download?: boolean}} [scope] @param {Options} [options] @returns {Promise<{url: string, valid_until: string}>} */
  async link(path, { seconds, download, ...scope } = {}, options) {
    const link = await (await this.#llmos.call("POST", "/api/files/link", { query: scope, json: { path, seconds, download }, ...options })).json();
    return { ...link, url: this.#llmos.url(link.url) };
  }

  /**
   * Stores a file: small ones through the function, large ones in parts straight to Blob.
   * @param {string} path
   * @param {Blob} content Its `type` is kept.
   * @param {Scope} [scope]
   * @param {Options & {onlyNew?: boolean, onProgress?: (sent: number, size: number) => void}} [options] `onlyNew`
   *   refuses to replace a file, and `ifMatch` one that others changed: both with small ones only.
   * @returns {Promise<void>}
   */
  async put(path, content, scope = {}, options = {}) {
    if (content.size > MAX_FUNCTION_BYTES) return this.#putParts(path, content, scope, options);
    const headers = { "content-type": content.type || "application/octet-stream" };
    if (options.onlyNew) headers["if-none-match"] = "*";
    if (options.ifMatch) headers["if-match"] = quoted(options.ifMatch);
    await this.#llmos.repeat(options, async () => {
      const authorization = await this.#llmos.authorization();
      const url = this.#llmos.url(`/api/files/${pathOf(path)}`, scope);
      return send("PUT", url, { ...headers, authorization }, content, options);
    });
  }

  /** @param {string} path @param {Scope} [scope] @param {Options} [options] @returns {Promise<void>} */
  delete(path, scope = {}, options) {
    return this.#llmos.remove(`/api/files/${pathOf(path)}`, { query: scope, ...options });
  }

  /** As `upload()` of the official client does it with `multipart`: leave of our own API, then parts to the store's. */
  async #putParts(path, content, { volume = "user", volume_id = volume === "system" ? "system" : "default" }, options) {
    const type = content.type || "application/octet-stream";
    const payload = {
      pathname: `volumes/${volume}/${volume_id}/files/${path}`,
      clientPayload: JSON.stringify({ size: content.size, content_type: type }),
      multipart: true,
    };
    const event = { type: "blob.generate-client-token", payload };
    const leave = await (await this.#llmos.call("POST", "/api/files/upload", { json: event, ...options })).json();
    const url = `${leave.url}/mpu${queryOf({ pathname: leave.pathname })}`;
    const common = {
      authorization: `Bearer ${leave.clientToken}`, "x-api-version": "12", "x-vercel-blob-access": leave.access,
      "x-content-type": type,
    };
    const step = (action, body, headers = {}, onProgress = undefined) => this.#llmos.repeat(options, () =>
      send("POST", url, { ...common, "x-mpu-action": action, ...headers }, body, { signal: options.signal, onProgress }));
    const upload = await step("create", null);
    const ours = { "x-mpu-key": encoded(upload.key), "x-mpu-upload-id": upload.uploadId };
    const count = Math.ceil(content.size / PART_BYTES);
    const sent = new Array(count).fill(0);
    const parts = new Array(count);
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const index = next++;
        const part = content.slice(index * PART_BYTES, (index + 1) * PART_BYTES);
        const told = (bytes) => {
          sent[index] = bytes;
          options.onProgress?.(sent.reduce((sum, it) => sum + it, 0), content.size);
        };
        const { etag } = await step("upload", part, { ...ours, "x-mpu-part-number": String(index + 1) }, told);
        parts[index] = { etag, partNumber: index + 1 };
      }
    };
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker));
    await step("complete", JSON.stringify(parts), { ...ours, "content-type": "application/json" });
  }
}

/** As `fetch`, which does not tell how much is sent. */
function send(method, url, headers, body, { onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) if (value) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded, event.total);
    request.onload = () => {
      const heads = { get: (name) => request.getResponseHeader(name) };
      if (request.status >= 300) reject(failure(request.status, heads, request.responseText));
      else resolve(request.responseText ? JSON.parse(request.responseText) : null);
    };
    request.onerror = () => reject(new LlmosError("The server cannot be reached."));
    request.onabort = () => reject(signal?.reason);
    if (signal?.aborted) { reject(signal.reason); return; }
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}
