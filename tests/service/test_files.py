"""Uploaded files are what their content says, never what their name says."""

import io
import zipfile

import pytest
from PIL import Image

from market.core import files
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.models import StoredFile
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work

ATTACH = policy.declare("tests:file:attach")
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"


def picture(kind="JPEG", size=(900, 600), **more):
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **more)
    return out.getvalue()


def packed(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return out.getvalue()


def messages(name, data, **more):
    with pytest.raises(Invalid) as caught:
        files.take_in(name, data, **more)
    return caught.value.fields["file"]


def test_a_camera_s_notes_do_not_survive(app):
    exif = Image.Exif()
    exif[0x010F] = "Maker who knows where I was"
    taken = files.take_in("厂房.jpg", picture(exif=exif))
    row = StoredFile(hash=taken.hash, derived=taken.derived)
    with Image.open(io.BytesIO(files.content(row))) as drawn:
        assert dict(drawn.getexif()) == {}
    assert b"Maker" not in files.content(row)


def test_a_picture_comes_in_three_widths_and_never_larger(app):
    taken = files.take_in("图.png", picture("PNG"))
    assert taken.media_type == "image/jpeg"
    assert taken.name == "图.jpg"
    row = StoredFile(hash=taken.hash, derived=taken.derived)
    widths = [Image.open(io.BytesIO(files.content(row, width))).width for width in files.WIDTHS]
    assert widths == [320, 800, 900]
    with pytest.raises(NotFound):
        files.content(row, 333)


def test_a_page_behind_a_picture_is_gone(app):
    polyglot = picture() + b"<script>alert(1)</script>"
    taken = files.take_in("a.jpg", polyglot)
    assert b"<script>" not in files.content(StoredFile(hash=taken.hash, derived=None))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("成果.pdf", b"<html><script>alert(1)</script></html>"),
        ("a.pdf", b"\n%PDF-1.7"),
        ("b.docx", packed("word/document.xml")),
        ("c.docx", packed("[Content_Types].xml", "x.txt")),
        ("d.xlsx", packed("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")),
        ("e.zip", packed("a.txt")),
        ("f.png", b"\x89PNG\r\n\x1a\n" + b"0" * 100),
        ("g.gif", b"GIF89a" + b"0" * 100),
        ("h.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("i.jpg", b""),
    ],
)
def test_what_is_not_welcome_is_refused_with_a_sentence(app, name, data):
    [sentence] = messages(name, data)
    assert sentence.endswith("。")


def test_ten_thousand_entries_are_refused(app):
    many = packed("[Content_Types].xml", "word/document.xml", *(f"{n}.xml" for n in range(10_000)))
    assert messages("many.docx", many)


def test_a_bomb_of_pixels_is_refused(app):
    assert "4000 万像素" in messages("bomb.png", picture("PNG", (10_000, 6_000)))[0]


def test_too_large_is_refused(app, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 20)
    assert "压缩" in messages("a.pdf", PDF)[0]


def test_only_what_a_place_wants(app):
    assert files.take_in("执照.pdf", PDF, only=("pdf",)).media_type == "application/pdf"
    assert "JPG" in messages("执照.pdf", PDF, only=("jpg",))[0]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        (r"C:\Users\王\成果 说明.PDF", "成果 说明.pdf"),
        ("a\x00b\u202efdp.exe", "abfdp.pdf"),
        (".pdf", "文件.pdf"),
        ("长" * 500, "长" * 120 + ".pdf"),
    ],
)
def test_names_lose_their_folders_and_lies(app, sent, kept):
    assert files.take_in(sent, PDF).name == kept


def _attach(number=1):
    upload = files.take_in("a.pdf", PDF)
    with unit_of_work(SYSTEM) as work:
        work.require(ATTACH)
        return [files.attach(work, upload, "nothing", 7).no for _n in range(number)]


def test_an_object_has_a_limit_of_files(app):
    _attach(files.MOST)
    with pytest.raises(Invalid):
        _attach()
    with unit_of_work(SYSTEM) as work:
        work.require(ATTACH)
        files.remove(work, files.files_of("nothing", 7)[0])
    assert len(files.files_of("nothing", 7)) == files.MOST - 1
    _attach()


def test_a_file_without_a_room_that_vouches_for_it_is_not_found(app):
    [no] = _attach()
    assert app.test_client().get(f"/files/{no}").status_code == 404


def test_a_file_is_handed_out_closed(app, monkeypatch):
    [no] = _attach()
    market = app.extensions["market"]
    gates = {"nothing": lambda actor, row: True}
    monkeypatch.setattr(type(market), "file_gates", property(lambda self: gates))
    response = app.test_client().get(f"/files/{no}")
    assert response.data == PDF
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert app.test_client().get(f"/files/{no}?w=99999999999").status_code in {200, 404}
    db.session.rollback()
