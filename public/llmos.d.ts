// Types of llmos.js, the client of llmos for web pages.

export type Volume = "user" | "team" | "system";

/** The volume; `volume_id` defaults to `default`. */
export interface Scope {
  volume?: Volume;
  volume_id?: string;
}

export interface Options {
  /** Aborts the call. */
  signal?: AbortSignal;
  /** The maximum number of retries. */
  retries?: number;
  idempotencyKey?: string;
  /** An `etag`: the change fails if the resource changed since. */
  ifMatch?: string;
  keepalive?: boolean;
  onRetry?: (retry: { error: LlmosError; attempt: number; delay: number }) => void;
}

/** A part of a message, such as those of a UIMessage of the AI SDK. */
export interface MessagePart {
  type: string;
  [member: string]: unknown;
}

export type MessageStatus = "in_progress" | "completed" | "stopped" | "failed" | "abandoned" | "incomplete";

export interface Usage {
  input_tokens?: number | null;
  output_tokens?: number | null;
  cached_input_tokens?: number | null;
  reasoning_tokens?: number | null;
  /** A decimal number as text. */
  cost?: string | null;
  [member: string]: unknown;
}

export interface Feedback {
  type: "positive" | "negative";
  comment?: string | null;
}

export interface NewMessage {
  /** Unique in the session; generated if it is missing. */
  id?: string;
  /** The message before; `null` for a beginning. The end of the active branch if it is missing. */
  parent_id?: string | null;
  /** `false` leaves the active branch as it is; only together with `parent_id`. */
  activate?: boolean;
  role: "user" | "assistant" | "system" | "developer" | "tool";
  /** Made of the text parts if it is missing. */
  content?: string;
  parts?: MessagePart[] | null;
  metadata?: Record<string, unknown> | null;
  status?: MessageStatus;
  model?: string | null;
  usage?: Usage | null;
  feedback?: Feedback | null;
  timestamp?: string;
  traces?: unknown;
  artifacts?: unknown;
}

export interface Message extends NewMessage {
  id: string;
  seq: number;
  parent_id: string | null;
  content: string;
  parts: MessagePart[] | null;
  metadata: Record<string, unknown> | null;
  status: MessageStatus;
  model: string | null;
  usage: Usage | null;
  timestamp: string;
  updated_at: string;
  /** The ids of all versions of the message, if there are several. */
  siblings?: string[];
  deleted?: true;
  unreadable?: true;
  etag?: string;
}

/** A message of a client's history; `updated_at` is that of the stored message that the client has seen. */
export type HistoryMessage = NewMessage & { id: string; updated_at?: string };

export interface MergedHistory {
  appended: string[];
  replaced: string[];
  unchanged: string[];
  conflicts: string[];
  deleted: string[];
  message_count: number;
  last_seq: number;
}

export interface SessionFields {
  name?: string;
  status?: "active" | "paused" | "completed";
  metadata?: Record<string, unknown>;
  title_source?: "default" | "client" | "model";
  pinned?: boolean;
  archived?: boolean;
  tags?: string[];
}

export interface NewSession extends SessionFields {
  /** Unique in the deployment; generated if it is missing. */
  id?: string;
  volume: Volume;
  volume_id?: string;
  initial_message?: string;
  messages?: NewMessage[];
}

export interface Session extends Required<SessionFields> {
  id: string;
  volume: Volume;
  volume_id: string;
  traces_count: number;
  message_count: number;
  last_seq: number;
  created_at: string;
  updated_at: string;
  forked_from?: { session_id: string; message_id: string | null };
  messages?: Message[];
  etag?: string;
  fallback?: boolean;
}

export interface SessionQuery extends Scope {
  status?: string | string[];
  archived?: boolean | "all";
  pinned?: boolean;
  tag?: string | string[];
  sort?: "updated" | "created";
  order?: "desc" | "asc";
  fields?: string;
  include?: "total";
  limit?: number;
  cursor?: string;
  /** `metadata.{key}`. */
  [filter: string]: unknown;
}

export interface SessionPage {
  sessions: Session[];
  next_cursor: string | null;
  total?: number;
  fallback?: boolean;
}

export interface SessionBatch {
  ids?: string[];
  filter?: Record<string, unknown>;
  cursor?: string;
  set?: { status?: string; archived?: boolean; pinned?: boolean; tags_add?: string[]; tags_remove?: string[] };
  delete?: true;
  dry_run?: boolean;
}

export interface Skill {
  id: string;
  name: string;
  description: string | null;
  code: string | null;
  language: string | null;
  tags: string[];
  keywords: string[];
  category: string | null;
  warnings: string[];
  volume: Volume;
  volume_id: string;
  usage_count: number | null;
  success_rate: number | null;
  size_bytes: number;
  etag: string;
  created_at: string;
  updated_at: string;
  content?: string;
  fallback?: boolean;
}

export interface StoredFile {
  path: string;
  volume: Volume;
  volume_id: string;
  size_bytes: number;
  content_type?: string;
  etag: string;
  updated_at: string | null;
}

export interface Part {
  status: "ok" | "not_configured" | "failing";
  milliseconds?: number;
  reason?: string;
  remedy?: string;
}

export interface Health {
  status: string;
  version: string;
  commit: string | null;
  region: string | null;
  environment: string | null;
  redis: Part;
  blob: Part;
  /** The provider and model of chat; null if no provider is configured. */
  model: { provider: string; model: string } | null;
  jwks?: Part;
  configuration?: Part;
}

export interface Me {
  signed_in: boolean;
  volume: Volume;
  volume_id: string;
  teams: string[];
  all_volumes: boolean;
  read_only: boolean;
}

/** The maximum bytes of a file sent through the function. */
export const MAX_FUNCTION_BYTES: number;

/** A failed request. `message` is for people; `code` is stable, and `network` if there was no response. */
export class LlmosError extends Error {
  detail: string;
  /** The HTTP status; 0 if there was no response. */
  status: number;
  code: string;
  /** The id of the request in the server's log. */
  requestId: string | null;
  /** The invalid fields, for a 422. */
  errors: { field: string; message: string }[];
  /** The latest version, for a 412. */
  current: any;
  /** The value of `Retry-After`, in milliseconds; 0 if absent. */
  retryAfter: number;
  attempts: number;
}

/** A number with more digits than `Number`. */
export class ExactNumber {
  constructor(text: string);
  text: string;
}

/** Keeps all digits. */
export function parseJson(text: string): any;
/** Keeps all digits. */
export function toJson(value: unknown, space?: number | string): string;

export interface CallOptions extends Options {
  query?: object;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string | undefined>;
  cache?: RequestCache;
  /** The time limit of an attempt in milliseconds, with its body; null for none. */
  timeout?: number | null;
  /** Returns true for error responses to return. */
  accepts?: (response: Response) => boolean;
}

/** A client of one deployment. */
export class Llmos {
  /**
   * `base` is the deployment's origin; it defaults to the page's. A `token` function is called before each attempt.
   * `retries` is the maximum number of retries (default 4). `fetch` replaces the browser's.
   */
  constructor(options?: {
    base?: string;
    token?: string | (() => string | null | Promise<string | null>) | null;
    retries?: number;
    onRetry?: Options["onRetry"];
    fetch?: typeof fetch;
  });

  sessions: Sessions;
  messages: Messages;
  skills: Skills;
  files: Files;
  chat: Chat;

  /** Returns the health of each part. A failing part is not an error. */
  health(options?: Options): Promise<Health>;
  me(options?: Options): Promise<Me>;
  /** Calls any route. `path` is percent-encoded, from `/api/`. Throws LlmosError, or the reason of `signal`. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
}

declare class Sessions {
  create(session: NewSession, options?: Options): Promise<Session>;
  list(query?: SessionQuery, options?: Options): Promise<SessionPage>;
  /** Yields all pages. */
  pages(query?: SessionQuery, options?: Options): AsyncGenerator<SessionPage>;
  /** Returns a session with its latest messages, or null if `etag` is still current. */
  find(id: string, query?: { messages?: number; etag?: string }, options?: Options): Promise<Session | null>;
  update(id: string, change: SessionFields, options?: Options): Promise<Session>;
  batch(
    batch: SessionBatch,
    options?: Options,
  ): Promise<{ matched: number; changed: number; failed: { id: string; code: string }[]; next_cursor: string | null }>;
  /** Makes the branch of a message the active one. */
  activate(id: string, messageId: string, options?: Options): Promise<Session>;
  /** Creates a session with the messages of a branch. */
  fork(id: string, fork?: Scope & { message_id?: string; name?: string }, options?: Options): Promise<Session>;
  /** Deletes a session with its messages. */
  delete(id: string, options?: Options): Promise<void>;
}

export interface MessageQuery {
  limit?: number;
  before?: number;
  after?: number;
  /** The branch that leads to this message. */
  branch?: string;
  all?: boolean;
  deleted?: boolean;
  /** The shape of the messages (default `native`). */
  format?: "native" | "ui" | "openai";
}

declare class Messages {
  /** Appends one message, or up to 100, all or none. */
  append(
    sessionId: string,
    messages: NewMessage | NewMessage[],
    options?: Options,
  ): Promise<{ messages: Message[]; deduplicated: string[]; message_count: number; last_seq: number }>;
  /** Returns the latest messages, or those next to `before` or `after`. */
  list(
    sessionId: string,
    query?: MessageQuery & { format?: "native" },
    options?: Options,
  ): Promise<{ messages: Message[]; has_more: boolean }>;
  /** Returns UIMessages of the AI SDK, or messages of OpenAI's Chat Completions; `unreadable` has the ids of malformed ones. */
  list(
    sessionId: string,
    query: MessageQuery,
    options?: Options,
  ): Promise<{ messages: object[]; has_more: boolean; unreadable?: string[] }>;
  find(sessionId: string, id: string, options?: Options): Promise<Message>;
  /** Stores a whole message under its id: it is appended, or replaced in place. */
  put(sessionId: string, id: string, message: NewMessage, options?: Options): Promise<Message>;
  /** Changes members in place; `metadata` and `usage` are merge patches. New `content` without `parts` removes the parts. */
  update(
    sessionId: string,
    id: string,
    change: Partial<Pick<NewMessage, "content" | "parts" | "status" | "model" | "feedback" | "metadata" | "usage">>,
    options?: Options,
  ): Promise<Message>;
  delete(sessionId: string, id: string, options?: Options): Promise<void>;
  /** Compares a whole history with the stored one. */
  merge(sessionId: string, messages: HistoryMessage[], options?: Options): Promise<MergedHistory>;
  /** Yields all pages, forward from `after`, or else backward. */
  pages(
    sessionId: string,
    query?: Omit<MessageQuery, "format">,
    options?: Options,
  ): AsyncGenerator<{ messages: Message[]; has_more: boolean }>;
}

export interface SkillQuery extends Scope {
  q?: string;
  tag?: string;
  category?: string;
  effective?: boolean;
  user_id?: string;
  team_id?: string;
  limit?: number;
  cursor?: string;
}

declare class Skills {
  /** Creates a skill from fields, or from a document (a string). */
  create(skill: object | string, scope?: Scope, options?: Options): Promise<Skill>;
  /** Returns a page, sorted by id. `effective` merges the user's, the team's and the system's skills. */
  list(query?: SkillQuery, options?: Options): Promise<{ skills: Skill[]; next_cursor: string | null; fallback?: boolean }>;
  /** Yields all pages. */
  pages(query?: SkillQuery, options?: Options): AsyncGenerator<{ skills: Skill[]; next_cursor: string | null }>;
  /** Returns a skill with its document in `content`. */
  find(id: string, scope?: Scope, options?: Options): Promise<Skill>;
  /** Changes fields, or the document (a string). */
  update(id: string, change: object | string, scope?: Scope, options?: Options): Promise<Skill>;
  delete(id: string, scope?: Scope, options?: Options): Promise<void>;
  /** Checks a document. */
  validate(content: string, options?: Options): Promise<{ valid: boolean; id: string | null; warnings: string[] }>;
  /** Reports a use. */
  used(
    id: string,
    use: { success: boolean; duration_ms?: number },
    scope?: Scope,
    options?: Options,
  ): Promise<{ id: string; usage_count: number; success_rate: number }>;
}

export interface FileQuery extends Scope {
  prefix?: string;
  folded?: boolean;
  limit?: number;
  cursor?: string;
}

export interface FilePage {
  files: StoredFile[];
  folders: string[];
  next_cursor: string | null;
}

declare class Files {
  /** Returns a page, sorted by path. `folded` groups paths by the next `/`. */
  list(query?: FileQuery, options?: Options): Promise<FilePage>;
  /** Yields all pages. */
  pages(query?: FileQuery, options?: Options): AsyncGenerator<FilePage>;
  /** Returns the response with the file as its body. */
  find(path: string, scope?: Scope, options?: Options): Promise<Response>;
  /** Returns a URL that works without a token for `seconds` (300); `download` makes browsers save it. */
  link(
    path: string,
    scope?: Scope & { seconds?: number; download?: boolean },
    options?: Options,
  ): Promise<{ url: string; valid_until: string }>;
  /**
   * Stores a file: a large one as multipart upload to Blob. The `type` of `content` is stored. `onlyNew` never replaces a
   * file. It and `ifMatch` apply to small files only.
   */
  put(
    path: string,
    content: Blob,
    scope?: Scope,
    options?: Options & { onlyNew?: boolean; onProgress?: (sent: number, size: number) => void },
  ): Promise<void>;
  delete(path: string, scope?: Scope, options?: Options): Promise<void>;
}

/** A chunk of the AI SDK's UI message stream. `type` decides which members there are. */
export interface ChatChunk {
  type:
    | "start" | "start-step" | "text-start" | "text-delta" | "text-end"
    | "reasoning-start" | "reasoning-delta" | "reasoning-end"
    | "tool-input-start" | "tool-input-delta" | "tool-input-available" | "tool-input-error"
    | "tool-output-available" | "tool-output-error"
    | "message-metadata" | "finish-step" | "finish" | "abort" | "error" | (string & {});
  id?: string;
  delta?: string;
  messageId?: string;
  messageMetadata?: any;
  toolCallId?: string;
  toolName?: string;
  input?: unknown;
  output?: unknown;
  errorText?: string;
  finishReason?: string;
  data?: unknown;
  [member: string]: unknown;
}

export interface ChatTool {
  name: string;
  description?: string;
  /** A JSON Schema. */
  inputSchema: object;
}

/** A message to answer: `content` or `message`. */
export interface ChatRequest extends Scope {
  /** The session. It is created if it does not exist. */
  sessionId: string;
  content?: string;
  /** A message, or one of the model with the outputs of its tools. */
  message?: Partial<NewMessage>;
  model?: string;
  /** Ids of skills whose documents the model gets. */
  skills?: string[];
  /** The number of skills that the server chooses. */
  max_skills?: number;
  /** Tools of the page. Their outputs come with the next request. */
  tools?: ChatTool[];
  approvals?: boolean;
  /** The id of the message that must be the newest one. */
  parent_id?: string;
  trigger?: "submit-message" | "regenerate-message";
  messageId?: string;
  /** Ends the iteration. The turn goes on: `stop()` ends it. */
  signal?: AbortSignal;
}

export interface ChatStop {
  success: boolean;
  turn_id: string | null;
  status: string;
}

export interface ChatTurn {
  id: string;
  status: "reserved" | "streaming" | "stopping" | "completed" | "stopped" | "failed" | "abandoned" | "incomplete";
  message_id: string;
  user_message_id: string;
  model: string;
  started_at: string;
  ended_at: string | null;
  stream_url: string;
  error?: string;
}

/** An answer. It can be iterated once; a broken connection is continued behind the last chunk. */
export interface Answer extends AsyncIterable<ChatChunk> {
  /** Stops the turn. The chunks up to the end follow. */
  stop(): Promise<ChatStop>;
}

declare class Chat {
  /** Sends a message when the answer is iterated. */
  send(request: ChatRequest, options?: Options): Answer;
  /** Reads the answer of a running turn from its beginning, such as after a reload; without one there are no chunks. */
  resume(sessionId: string, options?: Options & { turnId?: string }): Answer;
  /** Stops a turn; the current one without `turnId`. */
  stop(sessionId: string, turnId?: string, options?: Options): Promise<ChatStop>;
  /** Returns the current or last turn, or null. */
  turn(sessionId: string, options?: Options): Promise<ChatTurn | null>;
}
