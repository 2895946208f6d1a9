"""Contracts registered here, and papers taken apart, for tests."""

from __future__ import annotations

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from market.contracts import examining, filing
from market.contracts.models import Contract, ContractVersion
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people


def registered(draft, body, filer, first, second):
    """File, accept, examine and register a draft; gives the number."""
    filing.submit(filer, draft, body.no)
    examining.accept(first, draft)
    found = {"technical_fen": 240_000_00, "opinion": "扣除试制材料"}
    examining.examine(first, draft, found)
    return examining.register(second, draft)


def amended(contract, **changed):
    """Let another content be the registered one, as an amendment leaves it."""
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        row = db.session.get_one(Contract, contract.id)
        [old] = db.session.query(ContractVersion).filter_by(contract_id=row.id, state="registered")
        old.state = "superseded"
        db.session.flush()
        db.session.add(
            ContractVersion(
                contract_id=row.id, version=old.version + 1, state="registered",
                content={**old.content, **changed}, hash="0" * 64, origins={},
                findings={**old.findings, **changed}, registered_on=clock.today(),
                author="测试", created_at=clock.now(), updated_at=clock.now(),
            )
        )  # fmt: skip
        row.version = row.effective = old.version + 1
        row.lock_version += 1


def moved(contract, **columns):
    """Set columns of a contract."""
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        row = db.session.get_one(Contract, contract.id)
        for name, value in columns.items():
            setattr(row, name, value)


@contextlib.contextmanager
def opened(pdf):
    """The pages of a paper."""
    import pypdfium2  # of the tests' own packages; `make bench` has those of the site alone

    document = pypdfium2.PdfDocument(pdf)
    try:
        yield document
    finally:
        document.close()


@contextlib.contextmanager
def in_memory(data):
    """Bytes as an open file."""
    with io.BytesIO(data) as file:
        yield file


def lines(pdf):
    """The lines of a paper as they are read, page after page."""
    with opened(pdf) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    return [line for text in texts for line in text.split("\r\n")]


def fonts_embedded(pdf):
    """For each piece of text, whether its font is in the file."""
    import pypdfium2.raw as raw

    with opened(pdf) as document:
        return [
            raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(one.raw)) == 1
            for page in document
            for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=9)
        ]


def key_file(path, *, password="secret", days=365):
    """A .p12 with a certificate of its own; the file and the certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "甲县登记所（测试）")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, True, *[False] * 7)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = BestAvailableEncryption(password.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, made, None, secret))
    return path, made


def with_settings(app, **changed):
    """Let the application go on with other settings."""
    market = app.extensions["market"]
    market.settings = replace(market.settings, **changed)


def signature(pdf, certificate):
    """What pyHanko says of the one signature in a file."""
    from asn1crypto import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    root = x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    [found] = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    trust = ValidationContext(trust_roots=[root])
    # It runs an event loop, which browser tests have running in this thread already.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(validate_pdf_signature, found, trust).result()
