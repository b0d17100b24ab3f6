// A program that uses the types of llmos.js. It is compiled, not run: `tests/e2e/types.rs`.

import { ExactNumber, Llmos, LlmosError, MAX_FUNCTION_BYTES } from "../../public/llmos.js";
import type { Answer, ChatTurn, Message, MessageQuery, NewMessage, Session, SessionPage } from "../../public/llmos.js";

const llmos = new Llmos({ base: "http://localhost:3000", token: () => "token", retries: 2 });

export async function sessions(): Promise<string[]> {
  const session: Session = await llmos.sessions.create({ volume: "user", tags: ["a"], messages: [] });
  await llmos.sessions.update(session.id, { pinned: true }, { ifMatch: session.etag });
  const page: SessionPage = await llmos.sessions.list({ tag: ["a"], archived: "all", "metadata.a": 1 });
  await llmos.sessions.batch({ ids: [session.id], set: { tags_add: ["b"] } });
  // @ts-expect-error: a session has a volume.
  await llmos.sessions.create({ name: "x" });
  // @ts-expect-error: this volume does not exist.
  await llmos.sessions.create({ volume: "all" });
  return page.sessions.map((it) => it.name);
}

export async function messages(id: string): Promise<number> {
  const question: NewMessage = { id: "q1", role: "user", parts: [{ type: "text", text: "Hello" }] };
  const { messages, deduplicated } = await llmos.messages.append(id, [question], { idempotencyKey: "k" });
  const stored: Message = await llmos.messages.put(id, "a1", { role: "assistant", content: "Hi", status: "in_progress" });
  await llmos.messages.update(id, "a1", { status: "completed", usage: { output_tokens: 1 } }, { ifMatch: stored.etag });
  await llmos.messages.merge(id, [{ id: "q1", role: "user", updated_at: messages[0].updated_at }]);
  // @ts-expect-error: the items of a history have ids.
  await llmos.messages.merge(id, [{ role: "user" }]);
  // @ts-expect-error: this role does not exist.
  await llmos.messages.append(id, { role: "robot", content: "x" });
  for await (const page of llmos.messages.pages(id, { after: 0 })) {
    page.messages.map((message) => message.seq);
  }
  return deduplicated.length;
}

export async function formats(id: string): Promise<void> {
  const query: MessageQuery = { limit: 20, branch: "a1", format: "native" };
  const native = await llmos.messages.list(id, { limit: 20, format: "native" });
  const seq: number = native.messages[0].seq;
  const ui = await llmos.messages.list(id, { format: "ui" });
  const unreadable: string[] | undefined = ui.unreadable;
  // @ts-expect-error: messages in other shapes have no seq.
  const none: number = (await llmos.messages.list(id, { format: "openai" })).messages[0].seq;
  // @ts-expect-error: this format does not exist.
  await llmos.messages.list(id, { format: "xml" });
  // @ts-expect-error: pages are found by the seq of their messages.
  llmos.messages.pages(id, { format: "ui" });
  console.log(query, seq, unreadable, none);
}

export async function files(): Promise<void> {
  await llmos.files.put("a.txt", new Blob(["x"]), { volume: "user" });
  const digits: string = new ExactNumber("1.50").text;
  console.log(digits, MAX_FUNCTION_BYTES satisfies number);
  try {
    await llmos.sessions.find("x");
  } catch (error) {
    if (error instanceof LlmosError) console.log(error.code satisfies string, error.errors[0]?.field);
  }
}

export async function chat(id: string, signal: AbortSignal): Promise<string> {
  const tools = [{ name: "weather", inputSchema: { type: "object" } }];
  const answer: Answer = llmos.chat.send({ sessionId: id, content: "Hi", model: "m", skills: ["s"], tools, signal });
  let text = "";
  for await (const chunk of answer) {
    if (chunk.type === "text-delta") text += chunk.delta;
    if (text.length > 100) console.log((await answer.stop()).status satisfies string);
  }
  // @ts-expect-error: the session is required.
  llmos.chat.send({ content: "Hi" });
  for await (const chunk of llmos.chat.resume(id, { signal })) console.log(chunk.type);
  const turn: ChatTurn | null = await llmos.chat.turn(id);
  return turn?.model ?? text;
}
