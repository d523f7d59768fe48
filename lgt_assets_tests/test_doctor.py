"""What `lgt doctor` finds."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from lgt_assets.doctor import endpoint_finding, installed_packages, machine, profile_findings, profile_names
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.prompts.templates import TEMPLATE_OF_ROLE, prompt_set
from lgt_assets.settings import PROFILES_FOLDER, load_profile
from lgt_assets_tests.object_stores import free_ports, objects_below


class Models(BaseHTTPRequestHandler):
    """Serves one model to those who bring the key."""

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == "Bearer right"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        if allowed and self.path == "/v1/models":
            self.wfile.write(json.dumps({"data": [{"id": "served"}]}).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Models)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def server_settings(endpoint: str, model: str = "served") -> OpenaiServerSettings:
    return OpenaiServerSettings(model=model, endpoints=(endpoint,), api_key_env="TEST_KEY")


def test_an_endpoint_that_serves_the_model(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "right")
    assert endpoint_finding(endpoint, server_settings(endpoint)).ok
    other = endpoint_finding(endpoint, server_settings(endpoint, "another"))
    assert not other.ok and other.found == "does not serve another" and "vllm serve another" in other.mend


def test_an_endpoint_that_wants_a_key(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "wrong")
    finding = endpoint_finding(endpoint, server_settings(endpoint))
    assert (finding.ok, finding.found, finding.mend) == (False, "answers 401", "export TEST_KEY=your key")


def test_an_endpoint_that_is_not_there() -> None:
    finding = endpoint_finding("http://127.0.0.1:1/v1", server_settings("http://127.0.0.1:1/v1"))
    assert not finding.ok and finding.found.startswith("no answer") and "vllm serve served" in finding.mend


def profile_file(folder: Path, **model: object) -> str:
    roles = {role: {"model": "m"} for role in ("questioner", "composer", "vlm", "reasoner", "verifier")}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", "prompts": "lgt", "models": {"m": model}, "roles": roles}))
    return str(path)


def test_a_scripted_profile_works_anywhere(tmp_path: Path) -> None:
    assert all(finding.ok for finding in profile_findings(profile_file(tmp_path, engine="scripted")))


def test_a_wrong_path_is_found(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-model")
    findings = profile_findings(profile_file(tmp_path, engine="hf_transformers", model=missing))
    bad = [finding for finding in findings if not finding.ok]
    assert bad and "no model at" in bad[-1].found


def test_weights_that_are_not_here_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    findings = profile_findings(
        profile_file(tmp_path, engine="hf_transformers", model="nobody/such-model", revision="abc")
    )
    bad = [finding for finding in findings if not finding.ok]
    assert bad[-1].mend.endswith("hf download nobody/such-model --revision abc")


def test_a_profile_that_cannot_be_read_says_so() -> None:
    (finding,) = profile_findings("nowhere.yaml")
    assert not finding.ok and "no profile" in finding.found


@pytest.mark.parametrize("name", ["one-gpu", "paper", "endpoint", "embedded"])
def test_every_role_of_a_shipped_profile_has_its_template(name: str) -> None:
    profile = load_profile(name)
    prompts = prompt_set(profile.prompts)
    assert all(prompts.template_hash(TEMPLATE_OF_ROLE.get(role, role)) for role in profile.roles)


def test_a_detector_without_its_weights_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    content = yaml.safe_load(Path(profile_file(tmp_path, engine="scripted")).read_text())
    content["models"]["d"] = {"engine": "grounding_dino", "model": "nobody/such-model", "revision": "abc"}
    content["roles"]["detector"] = {"model": "d"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    (bad,) = [finding for finding in profile_findings(str(tmp_path / "mine.yaml")) if not finding.ok]
    assert bad.mend.endswith("hf download nobody/such-model --revision abc")


def test_every_shipped_profile_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGT_PROFILE", raising=False)
    names = profile_names()
    assert names[0] == "embedded" and set(names) == {path.stem for path in PROFILES_FOLDER.glob("*.yaml")}
    monkeypatch.setenv("LGT_PROFILE", "mine.yaml")
    assert profile_names() == ["mine.yaml", *names]


def test_what_is_installed_here_is_found() -> None:
    findings = {finding.subject: finding for finding in installed_packages()}
    assert findings["dagster"].ok and findings["dagster"].found == "1.13.27"
    assert all(finding.ok for finding in findings.values())


def test_a_state_folder_that_cannot_be_made_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", "/proc/nowhere/state")
    folder = machine()[0]
    assert folder.subject == "state folder" and not folder.ok


def test_the_store_that_machines_share_is_tried(bucket_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [finding for finding in machine() if finding.subject == "object store"]
    monkeypatch.setenv("LGT_STORE", bucket_root)
    (found,) = [finding for finding in machine() if finding.subject == "object store"]
    assert found.ok and found.found == f"{bucket_root}: written, read and removed"
    assert objects_below(bucket_root) == {}
    monkeypatch.setattr("lgt_assets.object_store.RETRIES", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    (found,) = [finding for finding in machine() if finding.subject == "object store"]
    assert not found.ok and "cannot be written" in found.found
