"""Adjusts generated requests to rules that the OpenAPI description states in words, because a schema cannot express them."""

import uuid

import schemathesis
from schemathesis.generation import GenerationMode


@schemathesis.hook
def before_call(context, case, kwargs):
    query, headers, path = case.query or {}, case.headers or {}, case.path_parameters or {}
    # `upload`, `link` and `validate` are also the names of routes, which have their own description.
    if path.get("path") in ("upload", "link"):
        path["path"] += "ed"
    if path.get("id") == "validate":
        path["id"] = "validated"
    names_volume_in_body = (case.method, case.path) == ("POST", "/api/sessions")
    if query.get("volume_id") and not query.get("volume") and not names_volume_in_body:
        # `volume_id` requires `volume`.
        query["volume"] = "user"
    if query.get("volume") == "system" and "volume_id" in query:
        # There is only one system volume.
        query["volume_id"] = "system"
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    # `effective` merges volumes that it names itself, and only it has `user_id` and `team_id`.
    for name in ("volume", "volume_id") if query.get("effective") == "true" else ("user_id", "team_id"):
        query.pop(name, None)
    if case.path == "/api/usage":
        # The first day is at most 366 days before the last one, and both are of this century or later.
        query.pop("from", None)
        if query.get("to"):
            query["to"] = "2028" + str(query["to"])[4:]
    # A valid cursor comes from an earlier response.
    query.pop("cursor", None)
    if (case.method, case.path) == ("GET", "/api/sessions") and query.get("include"):
        # Only lists that are filtered by volume, status and archived are counted.
        for name in ("pinned", "tag", "metadata.{key}"):
            query.pop(name, None)
    if (case.method, case.path) == ("GET", "/api/sessions/{id}/messages") and query.get("branch"):
        query.pop("all", None)
    if isinstance(case.body, dict):
        complete_session_body(case, query, case.body)
        complete_messages(case, path, case.body)
    if case.method == "PUT" and "If-None-Match" in headers:
        # `PUT` rejects both headers together.
        headers.pop("If-Match", None)
    if case.media_type == "text/markdown" and isinstance(case.body, (str, bytes)):
        # A document requires front matter.
        text = case.body if isinstance(case.body, str) else case.body.decode(errors="replace")
        case.body = text if text.startswith("---\n") else f"---\nname: x\n---\n{text}"
    if headers.get("Idempotency-Key"):
        # A key belongs to one request.
        headers["Idempotency-Key"] = headers["Idempotency-Key"][:200] + uuid.uuid4().hex


def complete_messages(case, path, body):
    """Adjusts the messages in a body to the rules on several members."""
    if case.path == "/api/sessions" and body.get("messages") is not None:
        body.pop("initial_message", None)
    if case.path == "/api/sessions/{id}/fork" and body.get("volume") is None:
        body.pop("volume_id", None)
    is_history = (case.method, case.path) == ("PUT", "/api/sessions/{id}/messages")
    is_message = case.path.startswith("/api/sessions/{id}/messages")
    messages = body.get("messages") if isinstance(body.get("messages"), list) else []
    if is_message and case.method in ("POST", "PUT") and "role" in body:
        messages = [*messages, body]
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        # The ids of parents are those of stored messages.
        message.pop("parent_id", None)
        message.pop("activate", None)
        if case.path == "/api/sessions/{id}/messages/{message_id}":
            message.pop("id", None)
        else:
            # Ids are unique in a request, and those that name messages by their places exist.
            message["id"] = f"{index}-{uuid.uuid4().hex}"
        if not is_history:
            message.pop("updated_at", None)
        # Either this project's shape or OpenAI's.
        for name in ("tool_calls", "tool_call_id", "name", "refusal", "annotations"):
            message.pop(name, None)
        if not isinstance(message.get("content"), str) or not message["content"]:
            message["content"] = "text"


def complete_session_body(case, query, body):
    """Adjusts the body of a request for sessions."""
    if case.path in ("/api/sessions", "/api/sessions/{id}") and body.get("name") is None:
        # The origin of a name requires a name.
        body.pop("title_source", None)
    if case.path == "/api/sessions" and body.get("id") is None:
        query.pop("if_exists", None)
    if case.path != "/api/sessions/batch":
        return
    # Either `ids` or `filter`, and either `set` or `delete`.
    body.pop("cursor", None)
    if body.get("ids") is not None:
        body.pop("filter", None)
    elif not isinstance(body.get("filter"), dict):
        body["filter"] = {}
    if body.get("filter") and body["filter"].get("volume") is None:
        body["filter"].pop("volume_id", None)
    if body.get("delete") is True:
        body.pop("set", None)
    else:
        tags = (body.get("set") or {}).get("tags_add")
        body["set"] = {"pinned": True, **({"tags_add": tags} if tags else {})}
