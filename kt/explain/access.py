"""Who may ask and how often, as rows for people.

In: the access of a plan. Out: rows of one section. Never: a key, or the digest of one.
"""

from collections.abc import Iterator

from kt.plan import Access, ConsumerGroup, Cors

Row = tuple[str, ...]


def access_rows(access: Access) -> Iterator[Row]:
    """What is not as it always is; nothing where everybody may ask as often as he likes."""
    for group in access.groups:
        yield f"group {group.name}", _group(group), group.origin
    if access.groups:
        yield "without a key", _without_key(access), ""
    if access.networks is not None:
        names = ", ".join(access.networks.cidrs) or "none"
        yield "addresses", f"only {names}{_behind(access.networks.proxies)}", access.networks.origin
    for limit in access.rate_limits:
        named = f", named by {' or '.join(limit.headers)}" if limit.headers else ""
        yield "rate limit", f"{limit.shown}{named}{_behind(limit.proxies)}", limit.origin
    if access.rate_limits:
        yield "x-ratelimit headers", "sent" if access.tells_rates else "not sent", ""
    if access.cors is not None:
        yield "cors", _cors(access.cors), access.cors.origin


def _group(group: ConsumerGroup) -> str:
    written = f"{len(group.keys)} written" if group.keys else ""
    named = ", ".join(f"{one.source.value} {one.name}" for one in group.secrets)
    keys = ", ".join(filter(None, (written, named))) or "none"
    models = ", ".join(group.allowed_models) or "every model"
    return f"keys: {keys}; {models}"


def _without_key(access: Access) -> str:
    default = next((one.name for one in access.groups if one.is_default), None)
    if default is not None:
        return f"group {default}"
    return "refused" if access.needs_keys else "no group"


def _behind(proxies: int) -> str:
    return f", behind {proxies} {'proxy' if proxies == 1 else 'proxies'}" if proxies else ""


def _cors(cors: Cors) -> str:
    origins = ", ".join(cors.origins) or "no origin"
    age = "" if cors.max_age is None else f", for {cors.max_age}s"
    with_credentials = ", with credentials" if cors.credentials else ""
    exposed = f", shows {', '.join(cors.exposed)}" if cors.exposed else ""
    asked = f"{', '.join(cors.methods)} with {', '.join(cors.headers)}"
    return f"{origins}: {asked}{exposed}{with_credentials}{age}"
