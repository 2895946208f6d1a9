"""A contract's encrypted files come back with a backup, and open with their key alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from market.app import create_app
from market.backup_cli import _index
from market.contracts import filing
from market.core import files, vault
from market.core.backups import backup, restore
from market.core.db import db
from market.core.models import StoredFile
from tests import contracts, people
from tests.conftest import let_go

KEY = "k" * 40
HANDS = restore.Hands(create_app, _index, say=lambda _sentence: None)


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


def _with_contract(settings):
    """File a contract whose text is stored encrypted; gives its number."""
    app = create_app(settings)
    with app.app_context():
        seller = people.organisation("食品研究所", kind="institute", code="360982")
        filer = people.actor(("owner", seller))
        no = contracts.with_text(filing.begin(filer, seller, contracts.values()))
        lies = files._path(_text(no).hash).read_bytes()
        let_go(app)
    assert vault.is_locked(lies)
    return no


def _text(no):
    query = select(StoredFile).where(
        StoredFile.kind == "contract", StoredFile.object_id == contracts.row(no).id
    )
    return db.session.scalars(query).one()


@pytest.mark.long
def test_encrypted_files_come_back_and_open_with_their_key(demo_settings, empty, tmp_path):
    """Some seconds: a whole backup and restore."""
    no = _with_contract(replace(demo_settings, files_key=KEY))
    keys = tmp_path / "keys.json"
    backup.write_keys(demo_settings, keys)
    path, _manifest, _size = backup.make(demo_settings, tmp_path / "backup.tar.gz")
    restore.restore(empty, path, keys, HANDS)
    secret = (empty.instance / "secret_key").read_text()
    for key, opens in ((KEY, True), (f"{'n' * 40},{KEY}", True), ("n" * 40, False), ("", False)):
        app = create_app(replace(empty, secret_key=secret, files_key=key))
        with app.app_context():
            row = _text(no)
            if opens:
                assert files.content(row) == contracts.PDF
            else:
                with pytest.raises(vault.Locked, match="原来的密钥加进 MARKET_FILES_KEY"):
                    files.content(row)
            let_go(app)
