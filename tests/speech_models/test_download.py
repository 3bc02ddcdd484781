"""Models: fetched from a server that may fail in every way, unpacked safely, and found."""

import hashlib
import io
import os
import random
import re
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import ModelError
from assistant.speech_models import catalogue, download
from assistant.speech_models.catalogue import OFFICIAL, find, listed, models_folder
from assistant.speech_models.download import get
from tests.support.examples import examples

pytestmark = pytest.mark.usefixtures("fresh_home", "quick")

FILES = {
    "am/final.mdl": random.Random(1).randbytes(300_000),
    "conf/model.conf": b"--beam=10\n",
    "conf/mfcc.conf": b"",
    "graph/HCLr.fst": b"hclr",
    "graph/Gr.fst": b"gr",
    "graph/disambig_tid.int": b"",
    "graph/words.txt": b"<eps> 0\n",
}


def zipped(files: dict[str, bytes], top: str = "some-model/") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(top + name, content)
    return buffer.getvalue()


MODEL = zipped(FILES)
SHA256 = hashlib.sha256(MODEL).hexdigest()


@dataclass
class Site:
    """A server on loopback, and what it does."""

    content: bytes = MODEL
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """For each answer in turn, how many bytes of it are sent before the connection breaks."""
    status: int = 200
    length: bool = True
    asked: list[str] = field(default_factory=list)
    """The Range of each request, "" without one."""
    url: str = ""
    moved: str = ""
    """Where every request is sent on to; empty for nowhere."""


class Handler(BaseHTTPRequestHandler):
    """Serve a Site's content as the Site says."""

    site: Site

    def do_GET(self) -> None:  # http.server's name
        site = self.site
        wanted = self.headers.get("Range", "")
        site.asked.append(wanted)
        if site.moved and self.path != site.moved:
            self.send_response(302)
            self.send_header("Location", site.moved)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if site.status != 200:
            self.send_error(site.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.ranges else 0
        size = len(site.content)
        if start >= size > 0 and wanted and site.ranges:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if site.length:
            self.send_header("Content-Length", str(size - start))
        self.end_headers()
        rest = site.content[start:]
        self.wfile.write(rest[: site.cuts.pop(0)] if site.cuts else rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve a model on loopback."""
    it = Site()
    handler = type("SiteHandler", (Handler,), {"site": it})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        it.url = f"http://127.0.0.1:{server.server_port}/model.zip"
        yield it
        server.shutdown()
        thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without waiting, and never through a proxy."""
    monkeypatch.setattr(download, "_RETRY_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def fetch(site: Site, name: str = "mine", sha256: str | None = SHA256) -> Path:
    return get(name, site.url, sha256=sha256)


def told(site: Site, sha256: str | None = SHA256) -> str:
    """Return the error of a failed fetch, one or two sentences; nothing may be left in use."""
    with pytest.raises(ModelError) as caught:
        fetch(site, sha256=sha256)
    assert not (models_folder() / "mine").exists()
    assert not list(models_folder().glob(".unpack-*"))
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    return message


def parts() -> list[Path]:
    return list(models_folder().glob(".*.part"))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_model_is_fetched_unpacked_and_found(site: Site) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = get("mine", site.url, sha256=SHA256, progress=lambda *step: seen.append(step))
    assert folder == models_folder() / "mine" == find("mine")
    assert contents(folder) == FILES
    assert seen[0] == (0, len(MODEL))
    assert seen[-1] == (len(MODEL), len(MODEL))
    assert seen == sorted(seen)
    assert sorted(path.name for path in models_folder().iterdir()) == ["mine"]
    assert [entry.model.name for entry in listed() if entry.folder == folder] == ["mine"]


def test_a_model_that_is_there_is_not_fetched_again(site: Site) -> None:
    assert fetch(site) == fetch(site)
    assert site.asked == [""]


def test_an_archive_without_a_top_folder_will_do(site: Site) -> None:
    site.content = zipped(FILES, top="")
    assert contents(fetch(site, sha256=None)) == FILES


def test_a_server_that_does_not_say_the_size_will_do(site: Site) -> None:
    site.length = False
    assert contents(fetch(site)) == FILES


def test_a_cut_connection_is_gone_on_from(site: Site) -> None:
    site.cuts = [3 * 8192, 2 * 8192 + 100]
    assert contents(fetch(site)) == FILES
    assert site.asked == ["", "bytes=24576-", "bytes=40960-"]


def test_many_cuts_are_no_reason_to_give_up_while_bytes_come(site: Site) -> None:
    site.cuts = [20_000] * 12
    assert contents(fetch(site)) == FILES
    assert len(site.asked) == 13


def test_a_download_that_stopped_goes_on_the_next_time(site: Site) -> None:
    site.cuts = [12 * 8192, 0, 0, 0, 0]
    assert told(site).startswith("The download of mine stopped at 0.1 MB: the connection was cut.")
    assert contents(fetch(site)) == FILES
    assert site.asked[-1] == "bytes=98304-"
    assert parts() == []


def test_a_server_that_ignores_range_is_started_over(site: Site) -> None:
    site.ranges = False
    site.cuts = [12 * 8192]
    assert contents(fetch(site)) == FILES
    assert site.asked == ["", "bytes=98304-"]


def test_a_server_that_always_cuts_is_given_up_on(site: Site) -> None:
    site.ranges = False
    site.cuts = [100_000, 40_000] * 50
    assert "run the same command again" in told(site).lower()
    assert len(site.asked) < 10


def test_a_whole_part_needs_no_more_than_a_look(site: Site) -> None:
    site.cuts = [len(MODEL) - 1, 0, 0, 0, 0]
    told(site)
    part = parts()[0]
    part.write_bytes(MODEL)
    assert contents(fetch(site)) == FILES


def test_a_part_that_is_longer_than_the_file_is_started_over(site: Site) -> None:
    site.cuts = [1_000, 0, 0, 0, 0]
    told(site)
    parts()[0].write_bytes(bytes(len(MODEL) + 5))
    assert contents(fetch(site)) == FILES


def test_a_wrong_checksum_is_reported_and_the_file_deleted(site: Site) -> None:
    assert "is not the mine that was expected" in told(site, sha256="0" * 64)
    assert parts() == []


def test_the_official_model_is_held_to_its_checksum_at_any_address(site: Site) -> None:
    with pytest.raises(ModelError, match="30f26242c4eb"):
        get(OFFICIAL.name, site.url)
    assert find_or_none(OFFICIAL.name) is None


def test_a_file_larger_than_the_official_model_is_not_read_to_its_end(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = catalogue.Model(OFFICIAL.name, "", site.url, size_bytes=1_000, sha256=SHA256)
    monkeypatch.setattr(catalogue, "MODELS", (small,))
    with pytest.raises(ModelError, match=r"larger than .* \(1,000 bytes\)"):
        get(OFFICIAL.name)


def test_a_truncated_archive_is_reported(site: Site) -> None:
    site.content = MODEL[:-2_000]
    assert "is no whole zip archive" in told(site, sha256=None)
    assert parts() == []


def test_a_web_page_instead_of_the_file_is_reported(site: Site) -> None:
    site.content = b"<html>Please log in</html>"
    assert "is no whole zip archive" in told(site, sha256=None)


@pytest.mark.parametrize("missing", [*FILES, "everything"])
def test_an_archive_that_is_no_model_is_reported(site: Site, missing: str) -> None:
    site.content = zipped(
        {name: b for name, b in FILES.items() if missing not in (name, "everything")}
    )
    assert "holds no speech model that Charley can use" in told(site, sha256=None)
    assert parts() == []


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (500, 4), (503, 4)])
def test_a_server_that_refuses_is_reported(site: Site, status: int, asked: int) -> None:
    site.status = status
    assert f"the server answers {status}" in told(site)
    assert len(site.asked) == asked


def test_a_server_that_is_gone_is_reported(site: Site) -> None:
    site.url = "http://127.0.0.1:9/model.zip"
    assert "there is no connection to the server" in told(site)


@pytest.mark.parametrize("url", ["http://", "http://[/x", "ftp://127.0.0.1/x", "nowhere.zip", "-"])
def test_a_wrong_address_is_reported(url: str) -> None:
    assert told(Site(url=url))


@pytest.mark.parametrize(
    "name", ["../evil", "a/b", "", ".hidden", "a b", "nul\0", "x" * 300, "C:\\x"]
)
def test_a_name_that_is_no_plain_folder_name_is_refused(site: Site, name: str) -> None:
    with pytest.raises(ModelError, match="No model"):
        get(name, site.url)


def test_an_unknown_name_needs_an_address() -> None:
    with pytest.raises(ModelError, match="charley models list"):
        get("vosk-model-xx")


def test_a_file_on_this_computer_will_do_and_is_kept(tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    archive.write_bytes(MODEL)
    assert contents(get("mine", str(archive), sha256=SHA256)) == FILES
    assert archive.read_bytes() == MODEL


@pytest.mark.parametrize("url", ["http://models.example/m.zip", "http://127.0.0.1.example/m.zip"])
def test_what_anybody_could_replace_on_the_way_needs_a_hash(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match=r"not encrypted.*--sha256"):
        get("mine", url)
    monkeypatch.setattr(download, "_fetch", lambda _model, part, _progress: part.write_bytes(MODEL))
    assert contents(get("mine", url, sha256=SHA256)) == FILES


def test_a_safe_address_that_leads_to_an_unsafe_one_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_UNSAFE_ADDRESS", re.compile(".*/elsewhere"))
    site.moved = "/elsewhere"
    assert "not encrypted" in told(site, sha256=None)
    assert contents(fetch(site)) == FILES


@pytest.mark.parametrize("name", ["x" * 300, "y/" + "x" * 256, "é" * 200])
def test_a_name_too_long_for_the_disk_is_thrown_away(site: Site, name: str) -> None:
    site.content = zipped(FILES | {name: b""})
    assert "does not belong" in told(site, sha256=None)
    assert parts() == []


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "some-model/../../evil",
        "/evil",
        "//host/evil",
        "C:/evil",
        "C:evil",
        "some-model\\..\\..\\evil",
        "some-model/con",
        "some-model/NUL.txt",
        "some-model/evil.",
        "some-model/evil ",
        "some-model/./evil",
        "some-model//evil",
        "some-model/a:stream",
        "some-model/a\x01b",
        "a/" * 600 + "evil",
        link("some-model/link"),
    ],
)
def test_a_path_that_leaves_the_folder_or_is_no_file_is_refused(
    site: Site, name: str | zipfile.ZipInfo, fresh_home: Path
) -> None:
    buffer = io.BytesIO(MODEL)
    with zipfile.ZipFile(buffer, "a") as bundle:
        bundle.writestr(name, b"/etc/passwd")
    site.content = buffer.getvalue()
    assert "does not belong into a model's folder" in told(site, sha256=None)
    assert not list(fresh_home.rglob("*evil*"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_file_twice_is_refused(site: Site) -> None:
    buffer = io.BytesIO(MODEL)
    with zipfile.ZipFile(buffer, "a") as bundle:
        bundle.writestr("some-model/am/final.mdl", b"another")
    site.content = buffer.getvalue()
    assert "one file twice" in told(site, sha256=None)


def test_a_bomb_is_not_unpacked(site: Site) -> None:
    site.content = zipped(FILES | {"bomb": bytes(50_000_000)})
    assert "no speech model does" in told(site, sha256=None)


def test_a_swarm_of_files_is_not_unpacked(site: Site) -> None:
    site.content = zipped(FILES | {f"f{n}": b"" for n in range(6_000)})
    assert f"{6_000 + len(FILES):,} files" in told(site, sha256=None)


def test_a_full_disk_is_reported_and_nothing_fetched_is_lost(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage("/")._replace(free=1_000)
        patch.setattr(shutil, "disk_usage", lambda _path: usage)
        assert "make room" in told(site)
    assert contents(fetch(site)) == FILES
    assert len([asked for asked in site.asked if asked == ""]) == 1


def test_a_disk_that_fills_up_while_unpacking_is_reported(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        assert told(site).startswith("The disk is full")
    assert contents(fetch(site)) == FILES


def test_a_folder_that_cannot_be_made_is_reported(site: Site, fresh_home: Path) -> None:
    (fresh_home / "data").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="cannot be put into"):
        fetch(site)


def test_stopping_it_keeps_what_came_and_uses_nothing(site: Site) -> None:
    def stop(done: int, _total: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get("mine", site.url, sha256=SHA256, progress=stop)
    assert find_or_none("mine") is None
    assert contents(fetch(site)) == FILES
    assert site.asked[1].startswith("bytes=")


def test_a_damaged_model_in_its_place_is_replaced(site: Site) -> None:
    (fetch(site) / "am/final.mdl").unlink()
    assert find_or_none("mine") is None
    assert contents(fetch(site)) == FILES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(30))
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=30))
def test_any_damage_is_reported_or_harmless(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    small = FILES | {"am/final.mdl": b"m"}
    content = bytearray(zipped(small))
    for place, value in damage:
        content[place % len(content)] = value
    archive = tmp_path / "damaged.zip"
    archive.write_bytes(content)
    try:
        folder = get("damaged", str(archive))
    except ModelError:
        assert not (models_folder() / "damaged").exists()
    else:
        shutil.rmtree(folder)
    assert not list(models_folder().glob(".unpack-*"))


def find_or_none(name: str | None) -> Path | None:
    try:
        return find(name)
    except ModelError:
        return None


def test_the_official_model_is_used_when_it_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundled = tmp_path / "bundled"
    for name, content in FILES.items():
        (bundled / name).parent.mkdir(parents=True, exist_ok=True)
        (bundled / name).write_bytes(content)
    monkeypatch.setattr(catalogue, "bundled_model_folder", lambda: bundled)
    assert find() == find("charley-small-en") == bundled
    model = catalogue.Model(OFFICIAL.name, "", site.url, len(MODEL), SHA256)
    monkeypatch.setattr(catalogue, "MODELS", (model,))
    assert find() == bundled
    official = get()
    assert find() == official == find(OFFICIAL.name)
    assert find("charley-small-en") == bundled
    (official / "am/final.mdl").unlink()
    assert find() == bundled


def test_a_folder_of_the_users_own_is_used(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"am/final\.mdl is missing or empty"):
        find(str(tmp_path))
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert find(str(tmp_path)) == tmp_path


def test_a_model_that_is_not_installed_is_reported() -> None:
    with pytest.raises(ModelError, match="charley models get"):
        find(OFFICIAL.name)
    with pytest.raises(ModelError, match='no speech model "no-such"'):
        find("no-such")


@pytest.mark.parametrize("name", ["", "~nobody-of-that-name/x", "a\0b", "x" * 5_000, "/", "."])
def test_an_odd_name_or_path_is_reported(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError):
        find(name)


def test_the_official_entry_is_complete() -> None:
    assert OFFICIAL.url is not None
    assert OFFICIAL.url.startswith("https://")
    assert OFFICIAL.url.endswith(f"/{OFFICIAL.name}.zip")
    assert OFFICIAL.sha256 is not None
    assert len(OFFICIAL.sha256) == 64
