"""Vercel's Python SDK against the local store, with VERCEL_BLOB_API_URL and BLOB_READ_WRITE_TOKEN set."""

import os

import httpx2
from vercel.api import session
from vercel.blob import sync as blob
from vercel.blob.errors import BlobError, BlobNotFoundError, BlobPreconditionFailedError

API = os.environ["VERCEL_BLOB_API_URL"]


class ContentHost(httpx2.HTTPTransport):
    """Sends requests for the content host of Vercel to the local store."""

    def handle_request(self, request):
        path = request.url.raw_path.decode()
        url = httpx2.URL(f"{API}/content{path}")
        request.url = url
        request.headers["host"] = url.netloc.decode()
        return super().handle_request(request)


def client(**options):
    return httpx2.Client(mounts={"https://*.blob.vercel-storage.com": ContentHost()}, **options)


def rejected(error, call):
    try:
        call()
    except error:
        return
    raise AssertionError(f"expected {error.__name__}")


def check(access):
    host = f"https://local.{access}.blob.vercel-storage.com"
    pathname = f"{access}/größe & more.txt"
    put = blob.put_blob(pathname, b"hello", access=access, content_type="text/plain")
    assert put.url == f"{host}/{access}/gr%C3%B6%C3%9Fe%20%26%20more.txt", put
    assert put.download_url == f"{put.url}?download=1"
    for reference in (put.url, pathname):
        head = blob.head_blob(reference)
        assert (head.pathname, head.size, head.etag, head.url) == (pathname, 5, put.etag, put.url)
        found = blob.get_blob(reference, access=access)
        assert (found.body, found.metadata.content_type) == (b"hello", "text/plain")
    assert blob.get_blob(put.download_url, access=access).body == b"hello"

    copied = blob.copy_blob(put.url, f"{access}/copy.txt", access=access)
    assert copied.url == f"{host}/{access}/copy.txt", copied
    assert blob.get_blob(copied.url, access=access).body == b"hello"
    rejected(BlobError, lambda: blob.put_blob(pathname, b"other", access=access))
    blob.put_blob(pathname, b"other", access=access, allow_overwrite=True)
    rejected(BlobPreconditionFailedError, lambda: blob.delete_blob(put.url, if_match=put.etag))

    listed = [item.url for item in blob.query_blobs(prefix=f"{access}/")]
    assert listed == [copied.url, put.url], listed
    folders = [item.prefix for item in blob.query_blob_entries() if hasattr(item, "prefix")]
    assert f"{access}/" in folders, folders

    with blob.multipart_upload_blob(f"{access}/large.bin", access=access) as upload:
        upload.upload_part(b"x" * (5 << 20))
        upload.upload_part(b"end")
    assert upload.result.url == f"{host}/{access}/large.bin"
    assert blob.head_blob(upload.result.url).size == (5 << 20) + 3

    blob.delete_blob([put.url, copied.url, upload.result.url])
    for url in (put.url, copied.url):
        rejected(BlobNotFoundError, lambda: blob.head_blob(url))
        rejected(BlobNotFoundError, lambda: blob.get_blob(url, access=access))


with session(httpx_client_factory=client):
    check("private")
    check("public")
