"""Sessions and messages in common FastAPI and redis-py style: five routes with the keys and responses of llmos.

In addition to the four keys of llmos there is one index: `recent:{scope}`, ids by the time of their last activity
in microseconds.
"""

import base64
import json
import os
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Annotated, Any, Literal
from uuid import uuid4

import redis.asyncio as redis
from fastapi import FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, Field

store = redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


@asynccontextmanager
async def lifespan(_: FastAPI):
    yield
    await store.aclose()


app = FastAPI(lifespan=lifespan)


class NewMessage(BaseModel):
    role: Literal["user", "assistant", "system", "tool"]
    content: Annotated[str, Field(min_length=1, max_length=262_144)]
    timestamp: str | None = None
    traces: Any = None
    artifacts: Any = None


class Message(BaseModel):
    id: str
    seq: int
    role: str
    content: str
    timestamp: str
    traces: Any
    artifacts: Any
    parent_id: str | None
    parts: Any = None
    metadata: Any = None
    status: str = "completed"
    model: str | None = None
    usage: Any = None
    updated_at: str


class NewSession(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    volume: Literal["user", "team", "system"]
    initial_message: Annotated[str, Field(min_length=1, max_length=262_144)] | None = None
    metadata: dict[str, Any] = {}


class Session(BaseModel):
    id: str
    name: str
    volume: str
    volume_id: str
    status: str
    metadata: dict[str, Any]
    traces_count: int
    message_count: int
    last_seq: int
    created_at: str
    updated_at: str
    title_source: str = "client"
    pinned: bool = False
    archived: bool = False
    tags: list[str] = []


class SessionWithMessages(Session):
    messages: list[Message]


class SessionPage(BaseModel):
    sessions: list[Session]
    next_cursor: str | None


class MessagePage(BaseModel):
    messages: list[Message]
    has_more: bool


class AppendedMessages(BaseModel):
    message: str
    session_id: str
    messages: list[Message]
    deduplicated: list[str]
    message_count: int
    last_seq: int


@app.post("/api/sessions", status_code=201)
async def create_session(new: NewSession, response: Response, volume_id: str = "default") -> SessionWithMessages:
    micros, now = moment()
    document = {
        "id": f"sess_{uuid4().hex}",
        "name": new.name,
        "volume": new.volume,
        "volume_id": volume_id,
        "status": "active",
        "messages": [],
        "traces_count": 0,
        "created_at": now,
        "updated_at": now,
        "metadata": new.metadata,
    }
    messages = [stored(NewMessage(role="user", content=new.initial_message), now)] if new.initial_message else []
    key, id, scope = f"session:{document['id']}", document["id"], f"{new.volume}:{volume_id}"
    async with store.pipeline(transaction=True) as pipe:
        pipe.set(key, json.dumps(document))
        for message in messages:
            pipe.rpush(f"{key}:messages", json.dumps(message))
        pipe.sadd("all:sessions", id)
        pipe.sadd(f"{scope}:sessions", id)
        pipe.zadd("recent:all", {id: micros})
        pipe.zadd(f"recent:{scope}", {id: micros})
        await pipe.execute()
    response.headers["Location"] = f"/api/sessions/{id}"
    return SessionWithMessages(
        **document
        | {
            "messages": [shown(message, 1, None) for message in messages],
            "message_count": len(messages),
            "last_seq": len(messages),
        }
    )


@app.get("/api/sessions")
async def list_sessions(
    volume: Literal["user", "team", "system"],
    volume_id: str = "default",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> SessionPage:
    start, after = json.loads(base64.urlsafe_b64decode(cursor)) if cursor else ("+inf", "")
    recent = await store.zrange(
        f"recent:{volume}:{volume_id}", start, "-inf", byscore=True, desc=True, withscores=True, offset=0, num=limit + 2
    )
    entries = [(id, int(score)) for id, score in recent if not cursor or (int(score), id) < (start, after)]
    page = entries[:limit]
    async with store.pipeline(transaction=False) as pipe:
        pipe.mget([f"session:{id}" for id, _ in page])
        for id, _ in page:
            pipe.llen(f"session:{id}:messages")
        documents, *counts = await pipe.execute() if page else [[]]
    return SessionPage(
        sessions=[
            Session(**session(document, count, micros))
            for document, count, (_, micros) in zip(documents, counts, page)
            if document
        ],
        next_cursor=next_cursor(page[-1]) if len(entries) > limit else None,
    )


@app.get("/api/sessions/{id}")
async def find_session(id: str, messages: Annotated[int, Query(ge=0, le=200)] = 50) -> SessionWithMessages:
    key = f"session:{id}"
    async with store.pipeline(transaction=True) as pipe:
        pipe.get(key)
        pipe.llen(f"{key}:messages")
        pipe.lrange(f"{key}:messages", -messages - 1, -1)
        pipe.zscore("recent:all", id)
        document, count, texts, micros = await pipe.execute()
    if document is None:
        raise HTTPException(404, "The session does not exist.")
    return SessionWithMessages(
        **session(document, count, int(micros or 0)) | {"messages": latest(texts, count, messages)}
    )


@app.get("/api/sessions/{id}/messages")
async def list_messages(id: str, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> MessagePage:
    key = f"session:{id}"
    async with store.pipeline(transaction=True) as pipe:
        pipe.exists(key)
        pipe.llen(f"{key}:messages")
        pipe.lrange(f"{key}:messages", -limit - 1, -1)
        exists, count, texts = await pipe.execute()
    if not exists:
        raise HTTPException(404, "The session does not exist.")
    return MessagePage(messages=latest(texts, count, limit), has_more=count > limit)


@app.post("/api/sessions/{id}/messages")
async def append_message(id: str, new: NewMessage) -> AppendedMessages:
    key = f"session:{id}"
    async with store.pipeline(transaction=False) as pipe:
        pipe.get(key)
        pipe.lindex(f"{key}:messages", -1)
        document, before = await pipe.execute()
    if document is None:
        raise HTTPException(404, "The session does not exist.")
    document = json.loads(document)
    micros, now = moment()
    message = stored(new, now)
    async with store.pipeline(transaction=True) as pipe:
        pipe.rpush(f"{key}:messages", json.dumps(message))
        pipe.zadd("recent:all", {id: micros}, gt=True)
        pipe.zadd(f"recent:{document['volume']}:{document['volume_id']}", {id: micros}, gt=True)
        count, *_ = await pipe.execute()
    return AppendedMessages(
        message="Message added to session",
        session_id=id,
        messages=[shown(message, count, json.loads(before)["id"] if before else None)],
        deduplicated=[],
        message_count=count,
        last_seq=count,
    )


def stored(new: NewMessage, now: str) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid4().hex}",
        "role": new.role,
        "content": new.content,
        "timestamp": new.timestamp or now,
        "traces": new.traces,
        "artifacts": new.artifacts,
    }


def session(document: str, count: int, micros: int) -> dict[str, Any]:
    fields = json.loads(document)
    fields["message_count"] = fields["last_seq"] = count
    fields["updated_at"] = max(fields["updated_at"], text_of(micros))
    return fields


def latest(texts: list[str], count: int, limit: int) -> list[Message]:
    """Returns the last messages, each with the one before it as its parent; one more was read."""
    first = count - len(texts) + 1
    messages = [json.loads(text) for text in texts]
    parents = [None, *(message["id"] for message in messages)]
    shown_messages = [
        shown(message, seq, parent) for seq, (message, parent) in enumerate(zip(messages, parents), first)
    ]
    return shown_messages[-limit:] if limit else []


def shown(message: dict[str, Any], seq: int, parent_id: str | None) -> Message:
    return Message(seq=seq, parent_id=parent_id, updated_at=message["timestamp"], **message)


def next_cursor(last: tuple[str, int]) -> str:
    id, micros = last
    return base64.urlsafe_b64encode(json.dumps([micros, id]).encode()).decode()


def moment() -> tuple[int, str]:
    now = datetime.now(timezone.utc)
    micros = int(now.timestamp()) * 1_000_000 + now.microsecond
    return micros, now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def text_of(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=rest).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
