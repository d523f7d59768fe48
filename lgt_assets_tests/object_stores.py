"""Where tables may lie: a folder, and below a URL on two S3 servers on this machine, moto's and SeaweedFS's.

Both honour conditional puts, on which Delta's commits rest. Real S3, Google's and Azure's stores are not reached by any test.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lgt_assets_tests.dagit import wait_until

if TYPE_CHECKING:
    import boto3

STORES = ("local", "moto", "seaweedfs")
BUCKET = "lgt-tables"
# Found nowhere else, so that one that was written down is seen; SeaweedFS lets nobody else in.
ACCESS_KEY, SECRET_KEY = "AKIALGTASSETSTESTSKEY", "lgt-assets-tests-secret-access-key"


@pytest.fixture(params=STORES)
def tables_root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new, empty root for tables; for servers the environment says how they are reached, as a user's would."""
    if request.param == "local":
        return str(tmp_path / "tables")
    reach(request.getfixturevalue(f"{request.param}_server"), monkeypatch)
    return f"s3://{BUCKET}/{tmp_path.name}-{secrets.token_hex(4)}"


@pytest.fixture(params=STORES[1:])
def bucket_root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same on the servers alone."""
    reach(request.getfixturevalue(f"{request.param}_server"), monkeypatch)
    return f"s3://{BUCKET}/{tmp_path.name}-{secrets.token_hex(4)}"


def reach(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what a user sets to reach an S3 server."""
    for name, value in environment(endpoint).items():
        monkeypatch.setenv(name, value)


def environment(endpoint: str) -> dict[str, str]:
    """Variables with which delta-rs, polars and s3fs reach the server."""
    return {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip


def objects_below(root: str) -> dict[str, int]:
    """Keys below an ``s3://`` root, relative to it, with their sizes in bytes."""
    prefix = root.removeprefix(f"s3://{BUCKET}/").rstrip("/") + "/"
    pages = _client(os.environ["AWS_ENDPOINT_URL"]).get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=BUCKET, Prefix=prefix)
    return {one["Key"].removeprefix(prefix): one["Size"] for page in found for one in page.get("Contents", [])}


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """The address of moto's server."""
    with server_of("moto") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def seaweedfs_server() -> Iterator[str]:
    """The address of SeaweedFS's S3 gateway, with a master, a volume server and a filer behind it."""
    with server_of("seaweedfs") as endpoint:
        yield endpoint


@contextmanager
def server_of(store: str) -> Iterator[str]:
    """Start ``moto`` or ``seaweedfs`` in a folder of its own, with the bucket; give its address; kill it with its children."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, _started(store, Path(folder)) as endpoint:
        client = _client(endpoint)
        wait_until(lambda: _has_bucket(client), 60, f"{store} on {endpoint}")
        yield endpoint


@contextmanager
def _started(store: str, folder: Path) -> Iterator[str]:
    ports = free_ports(9)
    programs = Path(sys.executable).parent
    if store == "moto":
        command = [programs / "moto_server", "-H", "127.0.0.1", "-p", str(ports[0])]
    else:
        command = _weed(programs / "weed", folder, ports)
    with (folder / "log").open("wb") as log:
        # A group of its own: the binary is started by a script of Python's.
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **environment("")} | {"AWS_ENDPOINT_URL": ""},
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _weed(program: Path, folder: Path, ports: list[int]) -> list:
    (folder / "data").mkdir()
    names = (
        "s3.port",
        "master.port",
        "volume.port",
        "filer.port",
        "master.port.grpc",
        "volume.port.grpc",
        "filer.port.grpc",
    )
    options = [f"-{name}={port}" for name, port in zip(names, ports, strict=False)]
    return [
        program, "-logtostderr=true", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
        "-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=0", f"-s3.port.grpc={ports[7]}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", *options,
    ]  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _client(endpoint: str) -> "boto3.client":
    import boto3  # here, not above: other environments load this module for its fixtures and have no boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def _has_bucket(client: "boto3.client") -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client.create_bucket(Bucket=BUCKET)
    except (BotoCoreError, ClientError):
        return False  # not up yet
    return True
