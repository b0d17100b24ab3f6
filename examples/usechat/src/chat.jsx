import { useChat } from "@ai-sdk/react";

export function Chat({ id, messages: stored }) {
  // `resume` reads the answer of a turn that still runs, such as after a reload.
  const { messages, sendMessage, stop, status, error } = useChat({ id, messages: stored, resume: true });
  const isBusy = status === "submitted" || status === "streaming";
  const submit = (form) => sendMessage({ text: form.get("text") });
  // Leaving does not stop the model: the server does that.
  const stopTurn = async () => {
    await fetch(`/api/chat/${id}/stop`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    await stop();
  };

  return (
    <>
      <ol aria-live="polite">
        {messages.map((message) => (
          <li key={message.id} className={message.role}>
            {message.parts.map((part, index) => (part.type === "text" ? <p key={index}>{part.text}</p> : null))}
          </li>
        ))}
      </ol>
      {error && <p role="alert">{error.message}</p>}
      <form action={submit}>
        <input name="text" aria-label="Message" placeholder="Message" autoComplete="off" required />
        {isBusy ? <button type="button" onClick={stopTurn}>Stop</button> : <button>Send</button>}
      </form>
    </>
  );
}
