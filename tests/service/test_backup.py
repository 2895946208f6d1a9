"""A backup comes back whole into an empty instance, and nothing else does."""

import gzip
import io
import json
import os
import tarfile
import zlib
from contextlib import contextmanager
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import func, select

from market.app import create_app
from market.backup_cli import _index
from market.catalogue.models import Listing
from market.core import audit, instance, metrics, migrate, outbox
from market.core.backups import archive, backup, restore
from market.core.backups.archive import BackupRefused, Member
from market.core.db import db
from market.core.errors import Busy
from market.core.models import AuditEntry, Node, OutboxRow
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.core.worker import NODES
from tests.conftest import let_go


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


HANDS = restore.Hands(create_app, _index, say=lambda _sentence: None)


@pytest.fixture
def made(demo_settings, tmp_path):
    """A backup of the demonstration with an upload, and its key file."""
    upload = demo_settings.instance / "files" / "ab" / "表.xlsx"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"content")
    keys = tmp_path / "keys.json"
    assert backup.write_keys(demo_settings, keys)
    path, _manifest, size = backup.make(demo_settings, tmp_path / "backup.tar.gz")
    assert size == path.stat().st_size
    return path, keys


def _rows(settings):
    """Rows of each table, and the texts of the listings."""
    app = create_app(settings)
    with app.app_context():
        counts = {
            table.name: db.session.scalar(select(func.count()).select_from(table))
            for table in db.metadata.sorted_tables
        }
        titles = {one.no: one.current.title for one in db.session.scalars(select(Listing))}
        let_go(app)
    return counts, titles


def test_everything_comes_back(demo_settings, made, empty):
    path, keys = made
    before, titles = _rows(demo_settings)
    done = restore.restore(empty, path, keys, HANDS)
    after, titles_after = _rows(empty)
    assert titles_after == titles
    # The restore itself is on record, the node that indexed is this one.
    assert after == before | {"audit_entry": before["audit_entry"] + 1, "node": 1, "outbox": 0}
    assert done.documents == 120
    assert (done.verdict.broken, done.verdict.tail) == (None, after["audit_entry"])
    assert (empty.instance / "files" / "ab" / "表.xlsx").read_bytes() == b"content"
    key = (empty.instance / "secret_key").read_text()
    assert key == demo_settings.secret_key
    left = {one.name for one in empty.instance.iterdir()}
    assert left <= {"market.db", "files", "search", "secret_key", "last_backup.json"}


def test_the_key_is_not_in_the_backup_and_both_are_private(demo_settings, made):
    path, keys = made
    for member in _members(path).values():
        assert demo_settings.secret_key.encode() not in member
    assert [one.stat().st_mode & 0o777 for one in (path, keys)] == [0o600, 0o600]
    assert not backup.write_keys(demo_settings, keys)  # the same key again is left alone
    with pytest.raises(BackupRefused, match="另一把密钥"):
        backup.write_keys(replace(demo_settings, secret_key="x" * 40), keys)


def test_rows_for_search_nodes_stay_behind_and_others_come_along(demo_settings, tmp_path, empty):
    app = create_app(demo_settings)
    with app.app_context():
        with unit_of_work(SYSTEM) as work:
            work.require(NODES)
            work.announce("listing", 1)
            moment = db.session.scalar(select(Node.heartbeat))
            values = {"kind": "letter", "object_id": 7, "created_at": moment}
            db.session.add(OutboxRow(consumer="mail", **values))
            db.session.add(OutboxRow(consumer="index:elsewhere", **values))
            db.session.add(Node(name="elsewhere", heartbeat=moment))
        let_go(app)
    path, _manifest, _size = backup.make(demo_settings, tmp_path)
    restore.restore(replace(empty, secret_key=demo_settings.secret_key), path, None, HANDS)
    app = create_app(empty)
    with app.app_context():
        assert db.session.scalars(select(OutboxRow.consumer)).all() == ["mail"]
        assert db.session.scalars(select(Node.name)).all() == ["local"]
        assert outbox.pending("index:local") == 0
        let_go(app)


def test_an_older_backup_is_upgraded(store, tmp_path, empty):
    old = store.fresh(tmp_path / "old")
    command.upgrade(migrate.config(old), "0001")
    path, manifest, _size = backup.make(old, tmp_path / "old.tar.gz")
    assert manifest.schema == "0001"
    store.drop(old)
    restore.restore(empty, path, None, HANDS, without_keys=True)
    migrate.check(empty)
    assert _rows(empty)[0]["region"] > 3000  # what the release brings


def test_a_chain_that_was_broken_before_is_told(demo_settings, tmp_path, empty):
    app = create_app(demo_settings)
    with app.app_context():
        with unit_of_work(SYSTEM) as work:
            work.require(NODES)
            audit.seal_batch()
            db.session.flush()
            db.session.scalars(select(AuditEntry).limit(1)).one().action = "changed"
        let_go(app)
    path, _manifest, _size = backup.make(demo_settings, tmp_path)
    assert restore.restore(empty, path, None, HANDS, without_keys=True).verdict.broken == 1


def test_half_way_it_says_so_and_can_be_done_again(made, empty):
    path, keys = made

    def dies():
        raise RuntimeError("killed here")

    with pytest.raises(RuntimeError, match="killed here"):
        restore.restore(empty, path, keys, replace(HANDS, index=dies))
    with pytest.raises(Busy, match="没有完成"):
        instance.refuse_unfinished(empty.instance)
    with pytest.raises(Busy, match="没有完成"):
        backup.make(empty, path.parent)
    assert not (empty.instance / "market.db").exists()
    assert restore.restore(empty, path, keys, HANDS).documents == 120
    instance.refuse_unfinished(empty.instance)


def test_only_into_an_empty_instance(made, settings, empty):
    path, keys = made
    before = _rows(settings)
    with pytest.raises(BackupRefused, match="恢复只写入空的数据目录"):
        restore.restore(settings, path, keys, HANDS)
    assert _rows(settings) == before
    instance.refuse_unfinished(settings.instance)
    (empty.instance / "files").mkdir()
    (empty.instance / "files" / "x").write_text("x")
    with pytest.raises(BackupRefused, match="附件"):
        restore.restore(empty, path, keys, HANDS)


def test_not_while_the_site_runs_or_under_maintenance(made, empty, monkeypatch):
    path, keys = made
    monkeypatch.setenv(metrics.FOLDER, "")
    with (
        _site_running(empty.instance / "metrics"),
        pytest.raises(BackupRefused, match="正在运行"),
    ):
        restore.restore(empty, path, keys, HANDS)
    with (
        instance.maintenance(empty.instance),
        pytest.raises(Busy, match="另一个维护命令"),
    ):
        restore.restore(empty, path, keys, HANDS)


@contextmanager
def _site_running(folder):
    """As if `market up` were running."""
    lock = metrics.prepare(folder)
    yield
    os.close(lock)


def test_another_key_or_none(demo_settings, made, empty, tmp_path):
    path, _keys = made
    with pytest.raises(BackupRefused, match="请用 --keys 给出"):
        restore.restore(empty, path, None, HANDS)
    other = tmp_path / "other.json"
    backup.write_keys(replace(demo_settings, secret_key="y" * 40), other)
    with pytest.raises(BackupRefused, match=r"不是用 .*other\.json 中的密钥签署"):
        restore.restore(empty, path, other, HANDS)
    other.write_text("{}")
    with pytest.raises(BackupRefused, match="不是 market backup --keys 写的密钥文件"):
        restore.restore(empty, path, other, HANDS)
    assert not (empty.instance / "market.db").exists()


def _members(path):
    with tarfile.open(path) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar.getmembers()}


def _pack(path, members):
    """A tar of members in this order; a value that is a TarInfo stands for itself."""
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members.items():
            if isinstance(data, tarfile.TarInfo):
                tar.addfile(data)
                continue
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def _changed(data, place):
    return data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]


def _unpacked(data):
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return None


def _refused(settings, path, keys, match):
    with pytest.raises(BackupRefused, match=match):
        restore.restore(settings, path, keys, HANDS)
    assert {one.name for one in settings.instance.iterdir()} <= {"secret_key"}


@pytest.mark.parametrize("place", [1, 2], ids=["database", "upload"])
def test_a_flipped_bit_in_a_member(made, empty, place):
    path, keys = made
    members = _members(path)
    name = list(members)[place]
    members[name] = _changed(members[name], len(members[name]) // 2)
    _refused(empty, _pack(path, members), keys, "不是完整的备份，或已被改动")


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"listing": 120', b'"listing": 119'),
        (b'"seals": 0', b'"seals": 1'),
        (b'"version": 1', b'"version": "1"'),
        (b'"format": "market-backup"', b'"format": "market-bakery"'),
        (b'"listing": 120', b'"listing": "many"'),
        (b'"created_at": "', b'"created_at": "in '),
        (b'"created_at": "20', b'"created_at": "00'),
        (b'"counts": ', b'"counts": ' + b"[" * 10**5),
        (b'"members": [', b'"members": [7, '),
        (b"{", b"["),
    ],
)
def test_a_changed_manifest(made, empty, old, new):
    path, keys = made
    members = _members(path)
    assert old in members["manifest.json"]
    members["manifest.json"] = members["manifest.json"].replace(old, new, 1)
    _refused(empty, _pack(path, members), keys, "不是完整的备份，或已被改动")


@pytest.mark.long
def test_members_missing_added_or_of_another_kind(made, empty):
    path, keys = made
    whole = _members(path)
    upload = "files/ab/表.xlsx"
    link = tarfile.TarInfo(upload)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for members in (
        {name: data for name, data in whole.items() if name != upload},
        whole | {"files/more": b"x"},
        whole | {upload: link},
        dict(reversed(whole.items())),
        {},
    ):
        _refused(empty, _pack(path, members), keys, "不是完整的备份，或已被改动")


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["files/../evil", "/etc/evil", "evil", "files", "files//x", "../files/x"]
)
def test_names_that_lead_elsewhere(made, empty, demo_settings, name):
    """Even when whoever made the file knew the key."""
    path, keys = made
    manifest, members = archive.read_manifest(path), _members(path)
    one = Member(name, 1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    forged = replace(manifest, members=(manifest.members[0], one))
    members = {
        "manifest.json": forged.signed(demo_settings.secret_key).to_json(),
        manifest.members[0].name: members[manifest.members[0].name],
        name: b"x",
    }
    _refused(empty, _pack(path, members), keys, "不是完整的备份，或已被改动（清单）")


@pytest.mark.long
def test_cut_off_foreign_and_empty_files(made, empty, tmp_path):
    path, keys = made
    whole = path.read_bytes()
    places = [len(whole) // 2, *range(len(whole) - 40, len(whole), 3)]
    for data in (
        *(_changed(whole, place) for place in places),
        whole[:-1],
        whole[: len(whole) // 2],
        whole[:5],
        b"",
        b"PK\x03\x04 not a backup",
        gzip.compress(b"not a tar"),
        gzip.compress(gzip.decompress(whole) + b"x" * 512),
    ):
        if _unpacked(data) == _unpacked(whole):
            continue  # a bit that means nothing to gzip
        path.write_bytes(data)
        _refused(empty, path, keys, "不是完整的备份，或已被改动")
    _refused(empty, tmp_path / "nowhere.tar.gz", keys, "打不开")
    _refused(empty, tmp_path, keys, "打不开")


@pytest.mark.long
def test_files_for_another_program(made, empty, demo_settings):
    path, keys = made
    manifest, members = archive.read_manifest(path), _members(path)

    def again(text):
        return _pack(path, members | {"manifest.json": text})

    newer = json.loads(manifest.to_json()) | {"version": 2, "something": "else"}
    _refused(empty, again(json.dumps(newer).encode()), keys, "先升级本程序")
    secret = demo_settings.secret_key
    newer = replace(manifest, schema="9999").signed(secret)
    _refused(empty, again(newer.to_json()), keys, "比本程序")
    [other] = set(archive.DATABASES) - {manifest.engine}
    database = replace(manifest.members[0], name=archive.DATABASES[other])
    foreign = replace(manifest, engine=other, members=(database,)).signed(secret)
    _refused(empty, again(foreign.to_json()), keys, "请改为同一种数据库")


def test_counts_that_do_not_fit_are_refused_without_a_key_too(made, empty):
    path, _keys = made
    members = _members(path)
    text = members["manifest.json"].replace(b'"listing": 120', b'"listing": 119')
    _pack(path, members | {"manifest.json": text})
    with pytest.raises(BackupRefused, match="行数与备份清单不符"):
        restore.restore(empty, path, None, HANDS, without_keys=True)


def test_a_backup_never_overwrites_and_needs_a_place(demo_settings, made, tmp_path):
    path, _keys = made
    for target, match in (
        (path, "已存在"),
        (tmp_path / "no" / "such.tar.gz", "不存在"),
        (tmp_path / "nofolder", "没有目录"),
    ):
        with pytest.raises(BackupRefused, match=match):
            backup.make(demo_settings, target)
    assert not (demo_settings.instance / backup.WORK).exists()


def test_nothing_to_back_up(empty, store, tmp_path):
    with pytest.raises(BackupRefused, match="没有可备份的"):
        backup.make(empty, tmp_path)


def test_the_newest_backups_are_kept(tmp_path):
    names = [f"market-2026112{day}-030000.tar.gz" for day in range(5)]
    for name in (*names, "market-20261101-030000.tar.gz.partial", "mine.tar.gz"):
        (tmp_path / name).touch()
    assert [path.name for path in backup.prune(tmp_path, 2)] == names[:3]
    assert {path.name for path in tmp_path.iterdir()} == {*names[3:], "mine.tar.gz"}


def test_the_last_backup_is_noted(demo_settings, made):
    note = instance.read_note(demo_settings.instance, instance.LAST_BACKUP)
    assert note["file"] == str(made[0])
    assert note["at"] == archive.read_manifest(made[0]).created_at
