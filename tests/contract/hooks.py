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
    # A valid cursor comes from an earlier response.
    query.pop("cursor", None)
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
