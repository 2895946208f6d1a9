"""The signature of certificates: PAdES, invisible, by the site's .p12 (pyHanko).

The seal is ink on paper, in the room that the certificate leaves for it; the signature protects the
file. RSA and ECDSA only: the national SM2 seals need a provider of their own.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import current_app

from market.core import clock
from market.core.settings import Settings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

FIELD = "Signature"


@dataclass(frozen=True)
class _Key:
    """What the .p12 holds, or what is wrong with it."""

    certificate: Certificate | None
    trouble: str | None = None


def _settings() -> Settings:
    settings: Settings = current_app.extensions["market"].settings
    return settings


def configured() -> bool:
    """Whether certificates are signed at all."""
    return bool(_settings().signing_key)


def _key() -> _Key:
    """The certificate in the .p12, opened anew: a changed file counts at once."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    settings = _settings()
    path, password = Path(settings.signing_key), settings.signing_password.encode() or None
    try:
        private, certificate, _others = pkcs12.load_key_and_certificates(
            path.read_bytes(), password
        )
    except OSError as error:
        return _Key(None, f"签名证书文件 {path} 读不出来（{error.strerror}）")
    except ValueError:
        return _Key(None, f"签名证书文件 {path} 打不开：密码不对，或不是 .p12 文件")
    if private is None or certificate is None:
        return _Key(None, f"签名证书文件 {path} 里没有私钥或证书")
    return _Key(certificate, _untimely(certificate))


def _untimely(certificate: Certificate) -> str | None:
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        ended = clock.local(certificate.not_valid_after_utc)
        return f"签名证书已在 {ended:%Y-%m-%d} 到期"
    if certificate.not_valid_before_utc > now:
        begins = clock.local(certificate.not_valid_before_utc)
        return f"签名证书到 {begins:%Y-%m-%d} 才生效"
    return None


def trouble() -> str | None:
    """Why nothing can be signed, in a sentence; None when it can, or when nothing is to be."""
    return _key().trouble if configured() else None


def subject() -> str:
    """Whose certificate it is, as its common name says."""
    from cryptography.x509.oid import NameOID

    certificate = _key().certificate
    if certificate is None:
        return ""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def sign(pdf: bytes, reason: str) -> bytes:
    """The same paper with a signature over all of it. `trouble` was asked before.

    Args:
        reason: stands in the signature, e.g. the number that was registered.
    """
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    settings = _settings()
    signer: Any = signers.SimpleSigner.load_pkcs12(
        settings.signing_key, passphrase=settings.signing_password.encode() or None
    )
    if signer is None:
        raise RuntimeError(f"签名证书文件 {settings.signing_key} 打不开")
    about = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason
    )
    out = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    # pyHanko runs an event loop; a thread in which one runs already would refuse it.
    with ThreadPoolExecutor(1) as aside:
        aside.submit(signers.sign_pdf, writer, about, signer=signer, output=out).result()
    return out.getvalue()
