"""A Postgres server of its own, with the system's binaries, on loopback; initdb refuses root, so an unprivileged user runs it."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from lgt_assets_tests.cluster.processes import Processes, free_port
from lgt_assets_tests.dagit import wait_until

PASSWORD = "only-for-tests"
USER = "lgt"


def binaries() -> Path | None:
    """Folder with initdb and postgres: on the path, or where Debian puts the newest; None if there are none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


class Postgres:
    """A database cluster below ``folder``, listening until the processes are ended."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._binaries, self._as = binaries(), _unprivileged()
        folder.mkdir()
        secret = folder.with_suffix(".password")
        secret.write_text(PASSWORD)
        if self._as:
            folder.parent.chmod(0o711)
            for path in (folder, secret):
                os.chown(path, self._as.pw_uid, self._as.pw_gid)
        options = [
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "--pwfile",
            str(secret),
            "-E",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]
        subprocess.run(
            [self._binaries / "initdb", "-D", folder, *options], check=True, capture_output=True, **self._user()
        )
        secret.unlink()
        # fsync off: the machine is not switched off in these tests.
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        command = [str(self._binaries / "postgres"), "-D", str(folder)]
        command += [part for setting in settings for part in ("-c", setting)]
        self.server = processes.start("postgres", command, os.environ, **self._user())
        wait_until(self.answers, 60, f"Postgres; see {processes.folder}/postgres.log")

    def answers(self) -> bool:
        """Whether it takes connections."""
        command = [self._binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def new_database(self, name: str) -> str:
        """Make a database; its address."""
        environment = os.environ | {"PGPASSWORD": PASSWORD}
        command = [self._binaries / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End it at once."""
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(30)

    def _user(self) -> dict[str, object]:
        if self._as is None:
            return {}
        return {"user": self._as.pw_uid, "group": self._as.pw_gid, "extra_groups": [], "cwd": "/"}


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom root runs it as: the package's own user, else nobody."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")
