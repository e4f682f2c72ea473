"""The patterns of code-sanitation: credentials with a form of their own, and dangerous calls."""

from kt.policies.rules.signal import Signal, signal

SECRETS: tuple[Signal, ...] = (
    Signal("aws_access_key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    Signal("private_key", r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY-----"),
    Signal("github_token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{82})\b"),
    Signal("slack_token", r"\bxox[abprs]-[0-9A-Za-z-]{10,72}"),
    Signal("google_key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    Signal("provider_key", r"\bsk-(?:ant-|proj-|or-v1-)?[0-9A-Za-z_-]{20,180}"),
    Signal("jwt", r"\beyJ[0-9A-Za-z_-]{8,500}\.eyJ[0-9A-Za-z_-]{8,900}\.[0-9A-Za-z_-]{8,600}"),
)
"""Credentials."""

DANGEROUS: tuple[Signal, ...] = (
    signal("shell.wipe", r"\brm -(?:rf|fr) (?:/(?:\s|\*|$)|~|\$home)"),
    signal("shell.pipe", r"\b(?:curl|wget) [^\n|]{1,200}\| ?(?:sudo )?(?:ba|z|da)?sh\b"),
    signal("shell.fork_bomb", r":\(\)\s?\{\s?:\|:&\s?\};:"),
    signal("sql.drop", r"\bdrop (?:table|database|schema)\b"),
)
"""Commands that destroy, or run what they fetch."""
