"""What a base URL may look like: a scheme, a host and a path, nothing that could leak or double."""

import re
from urllib.parse import urlsplit

_FORM = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")


def clean_url(text: str) -> str:
    """The base URL without `/v1` and slashes at its end. Raises ValueError with what is wrong.

    The message never quotes the text: a URL can carry a password.
    """
    if not text.startswith(("http://", "https://")):
        raise ValueError("it must start with http:// or https://")
    if "@" in text.split("/")[2]:
        raise ValueError("it carries credentials; use secret_key_ref")
    if "?" in text or "#" in text:
        raise ValueError("it ends before '?' and '#'")
    if _FORM.fullmatch(text) is None or not _has_address(text):
        raise ValueError("its host, port or path cannot be used")
    return text.rstrip("/").removesuffix("/v1").rstrip("/")


def host_of(url: str) -> str | None:
    """The host of a clean URL."""
    return urlsplit(url).hostname


def _has_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
