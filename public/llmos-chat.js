// The stream of an answer, which llmos.js loads when chat is used. It continues behind the last chunk after a broken
// connection: the ids of events name an entry of the server's log.

/** The server sends a comment at least every 10 s. */
const SILENCE_MS = 30_000;
const RETRIES = 8;
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 5000;

/** An answer. Iterating it sends the request, and yields the chunks of the AI SDK's UI message stream. */
export class Answer {
  #llmos; #shared; #request; #options; #path; #stop;
  #turn = null;
  #cursor = "";
  #seen = 0; // The chunks after the cursor.
  #isOver = false;
  #started = withResolvers();

  /** `body` is the request; without it, the answer of a running turn is read. `shared` has functions of llmos.js. */
  constructor(llmos, shared, { sessionId, turnId = null, body, signal, ...options }) {
    this.#llmos = llmos;
    this.#shared = shared;
    this.#turn = turnId;
    this.#path = `/api/chat/${encodeURIComponent(sessionId)}`;
    this.#request = body && { session_id: sessionId, ...body, stream: true };
    this.#options = { retries: RETRIES, idempotencyKey: crypto.randomUUID(), ...options, signal };
  }

  /** Stops the turn. The chunks up to the end follow. Returns its status. */
  async stop() {
    this.#stop ??= this.#stopTurn();
    return this.#stop;
  }

  async #stopTurn() {
    // Before the first chunk, it is unknown which turn to stop.
    await this.#started.promise;
    if (!this.#turn) return { success: true, turn_id: null, status: "unknown" };
    const { retries } = this.#options;
    return this.#llmos.json("POST", `${this.#path}/stop`, { json: { turn_id: this.#turn }, retries });
  }

  async *[Symbol.asyncIterator]() {
    const { signal, retries } = this.#options;
    try {
      for (let breaks = 0; ; breaks += 1) {
        const connection = new AbortController();
        const signals = AbortSignal.any([connection.signal, ...(signal ? [signal] : [])]);
        try {
          for await (const chunk of this.#connect(connection, signals)) {
            breaks = 0;
            yield chunk;
          }
          if (this.#isOver) return;
        } catch (error) {
          signal?.throwIfAborted();
          // A response is final; only a broken connection is continued.
          if (error instanceof this.#shared.LlmosError || breaks >= retries) throw error;
        } finally {
          connection.abort();
        }
        if (breaks >= retries) throw this.#failed("The connection breaks again and again.", "network");
        await pause(Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** breaks) * (0.5 + Math.random() / 2), signal);
      }
    } finally {
      this.#started.resolve();
    }
  }

  /** Yields the chunks of one connection that were not yielded before. */
  async *#connect(connection, signal) {
    const response = await this.#open(signal);
    if (response.status === 204) {
      this.#isOver = true;
      if (this.#seen + this.#cursor.length > 0) throw this.#failed("The rest of the answer is only in the messages of the session.", "gone");
      return;
    }
    let skipped = 0;
    const skip = this.#seen;
    for await (const { id, data } of events(response.body, connection)) {
      if (data === "[DONE]") {
        this.#isOver = true;
        return;
      }
      const chunk = this.#shared.parseJson(data);
      if (chunk.type === "start") {
        this.#turn = chunk.messageMetadata?.turnId ?? this.#turn;
        this.#started.resolve();
      }
      const isNew = skipped >= skip;
      if (isNew) this.#seen += 1;
      else skipped += 1;
      if (id) [this.#cursor, this.#seen] = [id, 0];
      if (isNew) yield chunk;
    }
  }

  /** Sends the request until its turn is known. After that, asks for the rest of the answer. */
  #open(signal) {
    const common = { ...this.#options, signal, timeout: null };
    if (this.#request && !this.#turn) {
      const headers = { accept: "text/event-stream" };
      return this.#llmos.call("POST", "/api/chat", { ...common, headers, json: this.#request });
    }
    const headers = { accept: "text/event-stream", "last-event-id": this.#cursor };
    return this.#llmos.call("GET", `${this.#path}/stream`, { ...common, headers, query: { turn: this.#turn } });
  }

  #failed(detail, code) {
    return new this.#shared.LlmosError(detail, { code });
  }
}

/** Yields the events of a stream. Aborts the connection if nothing arrives. */
async function* events(body, connection) {
  let text = "";
  let event = { id: "", data: "" };
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connection.abort(new TypeError("The server is silent.")), SILENCE_MS);
  };
  try {
    for (watch(); ; watch()) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (text + decoder.decode(value, { stream: true })).split("\n");
      text = lines.pop();
      for (const line of lines) {
        const [, field, content] = /^(\w*):? ?(.*?)\r?$/.exec(line) ?? [];
        if (field === "id") event.id = content;
        if (field === "data") event.data += content;
        if (line.trim() === "" && event.data) {
          yield event;
          event = { id: "", data: "" };
        }
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

const withResolvers = () => {
  const resolvers = {};
  resolvers.promise = new Promise((resolve) => { resolvers.resolve = resolve; });
  return resolvers;
};

const pause = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});
