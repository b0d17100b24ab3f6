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
    created_at: str
    updated_at: str


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
    message_count: int


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
        **document | {"messages": [message | {"seq": 1} for message in messages], "message_count": len(messages)}
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
        pipe.lrange(f"{key}:messages", -messages, -1)
        pipe.zscore("recent:all", id)
        document, count, texts, micros = await pipe.execute()
    if document is None:
        raise HTTPException(404, "There is no such session.")
    return SessionWithMessages(
        **session(document, count, int(micros or 0)) | {"messages": latest(texts if messages else [], count)}
    )


@app.get("/api/sessions/{id}/messages")
async def list_messages(id: str, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> MessagePage:
    key = f"session:{id}"
    async with store.pipeline(transaction=True) as pipe:
        pipe.exists(key)
        pipe.llen(f"{key}:messages")
        pipe.lrange(f"{key}:messages", -limit, -1)
        exists, count, texts = await pipe.execute()
    if not exists:
        raise HTTPException(404, "There is no such session.")
    return MessagePage(messages=latest(texts, count), has_more=count > len(texts))


@app.post("/api/sessions/{id}/messages")
async def append_message(id: str, new: NewMessage) -> AppendedMessages:
    key = f"session:{id}"
    document = await store.get(key)
    if document is None:
        raise HTTPException(404, "There is no such session.")
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
        messages=[Message(seq=count, **message)],
        message_count=count,
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
    fields["message_count"] = count
    fields["updated_at"] = max(fields["updated_at"], text_of(micros))
    return fields


def latest(texts: list[str], count: int) -> list[Message]:
    first = count - len(texts) + 1
    return [Message(seq=seq, **json.loads(text)) for seq, text in enumerate(texts, first)]


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
