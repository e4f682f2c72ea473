"""`kt gateway run`: serve a configuration, or the plan that was made of one, until told to stop.

SIGHUP, a changed file and the admin path read it again; the plan that runs is replaced by a good
one only.
"""

import sys
from functools import partial
from pathlib import Path

import attrs
import click
import trio

from kt.cli.address import address
from kt.cli.compiling import STANDARD_INPUT, read_source, settings_options, show_warnings
from kt.cli.serving import Serving, serve
from kt.cli.surroundings import (
    admin_token,
    read_client_keys,
    read_secrets,
    read_signing_keys,
    state_directory,
)
from kt.compiler import compile_source
from kt.compiler.settings import Settings
from kt.errors import ConfigError, UsageError
from kt.plan import NotEnforced, Plan
from kt.planfile import MAX_BYTES, read_plan
from kt.runtime.asking import asks
from kt.runtime.edge.tls import server_context
from kt.runtime.gateway import GatewayOptions

EVERYWHERE = "0.0.0.0"  # noqa: S104 - the product's documented default


@click.group()
def gateway() -> None:
    """Run the gateway."""


@gateway.command()
@click.option(
    "--listen",
    type=address,
    metavar="HOST:PORT",
    help="Default: every address of this machine, and the config's listen_port.",
)
@click.option(
    "--policy-config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The policy-config.yaml to run.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The plan to run, as `kt config compile -o` wrote it.",
)
@click.option(
    "--allow-unenforced",
    is_flag=True,
    help="Run although some policies of the chain do nothing yet.",
)
@click.option(
    "--tls-cert",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Serve TLS with this certificate chain, and its key unless that has its own file.",
)
@click.option(
    "--tls-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The key of the certificate.",
)
@click.option(
    "--watch",
    "is_watching",
    is_flag=True,
    help="Read the files again when they change, as SIGHUP does.",
)
@settings_options
def run(
    listen: tuple[str, int] | None,
    config: Path | None,
    plan_file: Path | None,
    allow_unenforced: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    is_watching: bool,
    settings: Settings,
) -> None:
    """Serve a configuration or a plan until SIGTERM or SIGINT; requests under way may end."""
    file = chosen_file(config, plan_file, settings)
    source = PlanSource(file, file == plan_file, settings, is_lenient=allow_unenforced)
    try:
        plan = source.read()
    except ConfigError as error:
        click.echo(error.report.show(), err=True)
        sys.exit(1)
    host, port = listen or (EVERYWHERE, plan.listen_port)
    files = tls_files(tls_cert, tls_key)
    surroundings = partial(options, host=host, port=port, settings=settings, tls=files)
    watched = (file, *files) if is_watching else ()
    trio.run(partial(serve, Serving(source.read_again, surroundings, watched), plan))


def tls_files(certificate: Path | None, key: Path | None) -> tuple[Path, ...]:
    """The files that TLS needs; none where there is none. Raises UsageError for a key alone."""
    if key is not None and certificate is None:
        raise UsageError("--tls-key is a key without a certificate", "add --tls-cert FILE")
    return tuple(file for file in (certificate, key) if file is not None)


@attrs.frozen
class PlanSource:
    """The file that a plan is made of, each time in the same way."""

    file: Path
    is_plan: bool
    """Whether it is a plan file, not a configuration."""
    settings: Settings
    is_lenient: bool
    """Whether policies that do nothing yet are accepted."""

    def read(self) -> Plan:
        """The plan that the file says now. Raises ConfigError, and UsageError where it cannot run.

        Warnings go to stderr.
        """
        plan = load_plan(self.file) if self.is_plan else self._compiled()
        if not plan.enabled:
            raise UsageError("the pack is switched off", "set pack.enabled to true")
        refuse_unenforced(plan, is_allowed=self.is_lenient)
        return plan

    def read_again(self) -> Plan:
        """The same once more. Standard input cannot be asked twice: UsageError."""
        if str(self.file) == STANDARD_INPUT:
            hint = "name a file, or start the gateway again"
            raise UsageError("the configuration came from standard input", hint)
        return self.read()

    def _compiled(self) -> Plan:
        compiled = compile_source(read_source(str(self.file)), self.settings)
        show_warnings(compiled)
        return compiled.plan


def chosen_file(config: Path | None, plan_file: Path | None, settings: Settings) -> Path:
    """The one file that is named. Raises UsageError for none and for both."""
    if config is not None and plan_file is not None:
        hint = "name the plan alone, or compile the configuration again"
        raise UsageError("--policy-config and --plan are two plans", hint)
    if plan_file is not None:
        refuse_settings(settings)
        return plan_file
    if config is None:
        raise UsageError("there is nothing to run", "name a file: --policy-config FILE")
    return config


def refuse_settings(settings: Settings) -> None:
    """A plan runs as it was compiled: what would change it must go into the compilation."""
    if settings.given:
        names = ", ".join(settings.given)
        hint = "give it to kt config compile -o PLAN instead, and leave it out here"
        raise UsageError(f"{names} would change the plan", hint)


def load_plan(path: Path) -> Plan:
    """Read a plan file. Raises UsageError where it cannot be read or run."""
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "name a file that kt config compile -o wrote"
        raise UsageError(f"cannot read {path}: {error.strerror}", hint) from None
    plan = read_plan(data, str(path))
    if not plan.targets:
        raise UsageError(f"{path} has no provider", "compile it with one, or with --upstream URL")
    return plan


def refuse_unenforced(plan: Plan, *, is_allowed: bool) -> None:
    """Demand that every policy and the strategy of a plan are performed, or say what is not."""
    names = ", ".join(unenforced_kinds(plan))
    if names and not is_allowed:
        hint = "take them out of the chain, or run without their protection: --allow-unenforced"
        raise UsageError(f"the chain has policies that are not enforced yet: {names}", hint)
    if names:
        click.echo(f"warning: these policies do nothing yet: {names}", err=True)
    for strategy in plan.routing.not_performed:
        _refuse_strategy(strategy.value, is_allowed=is_allowed)


def _refuse_strategy(word: str, *, is_allowed: bool) -> None:
    if not is_allowed:
        hint = "use another one, or have targets asked as declared all the same: --allow-unenforced"
        raise UsageError(f"the strategy {word} is not enforced yet", hint)
    click.echo(f"warning: targets are asked as declared: {word} is not enforced yet", err=True)


def unenforced_kinds(plan: Plan) -> tuple[str, ...]:
    """The kinds that nothing performs yet, once each, as the chain has them."""
    steps = [step for stage in (*plan.input, *plan.output) for step in stage.steps]
    idle = [step for step in (*steps, *plan.audit) if isinstance(step.body, NotEnforced)]
    in_order = sorted(idle, key=lambda step: step.order)
    return tuple(dict.fromkeys(step.kind for step in in_order))


def options(
    plan: Plan, host: str, port: int, settings: Settings, tls: tuple[Path, ...] = ()
) -> GatewayOptions:
    """The surroundings of a gateway, with a warning for each provider whose key is missing."""
    secrets = read_secrets(plan.targets)
    missing = {
        target.id: target.secret.name
        for target in plan.targets
        if target.secret is not None and target.id not in secrets
    }
    stand_ins = replaced_targets(plan, settings)
    for target, name in missing.items():
        fate = "is asked without one" if target in stand_ins else "is unavailable"
        click.echo(f"warning: {name} is not set: provider '{target}' {fate}", err=True)
    client_keys = read_client_keys(plan.access.groups)
    for group in plan.access.groups:
        if len(client_keys[group.name]) < len(group.secrets):
            said = f"warning: a key of consumer group '{group.name}' is not set"
            click.echo(f"{said}: nobody gets in with it", err=True)
    nowhere = frozenset(target.id for target in plan.targets if not target.base_url)
    for name in sorted(nowhere):
        click.echo(f"warning: provider '{name}' is unavailable: it has no base URL", err=True)
    return GatewayOptions(
        host=host,
        signing_keys=signing_keys(plan),
        port=port,
        log=partial(click.echo, err=True),
        audit_path=state_directory() / "audit.jsonl",
        gateway_id=f"{host}:{port}",
        secrets=secrets,
        client_keys=client_keys,
        unavailable=nowhere | frozenset(missing) - stand_ins,
        admin_token=admin_token(host),
        tls=server_context(*tls) if tls else None,
    )


def signing_keys(plan: Plan) -> dict[str, str]:
    """What questions to services are signed with, with a warning for each key that is missing."""
    named = [ask.secret for ask in asks(plan) if ask.secret is not None]
    keys = read_signing_keys(named)
    for name in dict.fromkeys(one.name for one in named if one.name not in keys):
        fate = "the service that it signs for is not asked, and its policy is in trouble"
        click.echo(f"warning: {name} is not set: {fate}", err=True)
    return keys


def replaced_targets(plan: Plan, settings: Settings) -> frozenset[str]:
    """The targets that `--upstream` points elsewhere: a stand-in needs no key."""
    named = {upstream.target for upstream in settings.upstreams}
    if None in named:
        return frozenset(target.id for target in plan.targets)
    return frozenset(name for name in named if name is not None)
