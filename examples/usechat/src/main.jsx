import { createRoot } from "react-dom/client";
import { Chat } from "./chat.jsx";
import "./style.css";

// The session is in the address, so that a reload and another tab show the same one.
const id = window.location.hash.slice(1) || crypto.randomUUID();
window.location.hash = id;

// The stored messages. The session does not exist before its first message.
const response = await fetch(`/api/sessions/${id}/messages?format=ui&limit=200`);
const { messages } = response.ok ? await response.json() : { messages: [] };

createRoot(document.getElementById("root")).render(<Chat id={id} messages={messages} />);
