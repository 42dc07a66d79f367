"""An example or more for every command; `--help` ends with them, and a test reads each as the command line does."""

from collections.abc import Mapping

import click

_SERVER = "127.0.0.1:5000"
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "serve": ("--data data", "--config basegate.yaml --listen 127.0.0.1:5001"),
    "init": ("--data data",),
    "check": (f"{_SERVER}/team/app:v1", "base.tar", "docker:team/app:v1 --repository team/app"),
    "explain": (f"{_SERVER}/team/app:v1",),
    "watch": (f"{_SERVER}/team", f"{_SERVER} --for 600 --json"),
    "find": ("'os.version<16.04 conda<4.5 verdict=refused tag.age>90d' --data data", f"{_SERVER} verdict=refused"),
    "deploy check": ("-n scoring -m model:1 --ic inferenceconfig.json --dc deploymentconfig.json",),
    "deployment key rotate": ("--data data",),
    "deployment keys": (f"--gateway {_SERVER}",),
    "deployment ls": (f"--gateway {_SERVER}",),
    "deployment release": (f"DEPLOYMENT --gateway {_SERVER}",),
    "deployment show": (f"DEPLOYMENT --gateway {_SERVER}",),
    "workspace create": (f"research --gateway {_SERVER}",),
    "workspace show": (f"research --gateway {_SERVER}",),
    "verify-receipt": ("receipt.json",),
    "login": (f"{_SERVER} --username admin --password-stdin < secret",),
    "import": ("base.tar team/base --data data", f"layout {_SERVER}/team/app --all"),
    "export": ("team/app:v1 app.tar --data data",),
    "copy": (f"{_SERVER}/team/app:v1 {_SERVER}/team/copied",),
    "build": ("--image team/app:v1 --username admin --password-stdin --endpoint https://localhost:5443 .",),
    "azure setup": ("--endpoint https://localhost:5443 --ca-file data/tls/ca.crt --write",),
    "verdict show": (f"{_SERVER}/team/app:v1",),
    "verdict verify": (f"{_SERVER}/team/app:v1 --key verdict.pem",),
    "verdict key show": ("--data data",),
    "verdict key rotate": ("--data data",),
    "principal create": (
        f"{_SERVER} ci --role AcrPush --repositories 'team/*'",
        "ci --role AcrPush --repositories 'team/*' --data data",
    ),
    "principal delete": (f"{_SERVER} ci --yes", "ci --yes --data data"),
    "principal disable": (f"{_SERVER} ci", "ci --data data"),
    "principal enable": (f"{_SERVER} ci", "ci --data data"),
    "principal list": (f"{_SERVER}", "--data data"),
    "principal rotate": (f"{_SERVER} ci", "ci --data data"),
    "principal show": (f"{_SERVER} ci", "ci --data data"),
    "policy activate": (f"{_SERVER} azureml-2020-11 --repositories 'team/*'", "policy.yaml --data data"),
    "policy deactivate": (f"{_SERVER} --repositories 'team/*'", "--repositories 'team/*' --data data"),
    "policy exempt": (
        f"{_SERVER} --repositories team/old --rule python-version --owner ann --reason moves --until 2027-05-31",
        "--repositories team/old --rule python-version --owner ann --reason 'moves in May' --until 2027-05-31",
    ),
    "policy exemptions": (_SERVER, "--data data"),
    "policy list": (_SERVER, "--data data"),
    "policy replay": (f"{_SERVER} azureml-2020-11", "azureml-2020-11 --data data"),
    "policy revoke": (f"{_SERVER} EXEMPTION", "EXEMPTION --data data"),
    "policy show": (f"{_SERVER} azureml-2019-07", "azureml-2019-07"),
    "inspect": ("team/app:v1 --again --data data",),
    "verify-evidence": ("team/app:v1 --data data",),
    "tls init": ("--host registry.lab.example --data data",),
    "repo ls": (_SERVER, "--data data"),
    "repo rm": (f"{_SERVER}/team/old --yes", "team/old --yes --data data"),
    "repo show": (f"{_SERVER}/team/app", "team/app --data data"),
    "tag history": (f"{_SERVER}/team/app:v1", "team/app:v1 --data data"),
    "tag ls": (f"{_SERVER}/team/app", "team/app --data data"),
    "tag lock": (f"{_SERVER}/team/app:v1", "team/app:v1 --data data"),
    "tag rm": (f"{_SERVER}/team/app:v1", "team/app:v1 --data data"),
    "tag rollback": (f"{_SERVER}/team/app:v1", "team/app:v1 --at 2026-11-20T10:00Z --data data"),
    "tag show": (f"{_SERVER}/team/app:v1", "team/app:v1 --at 2026-11-20T10:00Z --data data"),
    "tag unlock": (f"{_SERVER}/team/app:v1", "team/app:v1 --data data"),
    "manifest ls": (f"{_SERVER}/team/app", "team/app --data data"),
    "manifest rm": (f"{_SERVER}/team/app:v1 --yes", "team/app:v1 --yes --data data"),
    "manifest show": (f"{_SERVER}/team/app:v1", "team/app:v1 --data data"),
    "events follow": (f"{_SERVER} --json", "--repository 'team/*' --data data"),
    "events ls": (f"{_SERVER} --repository 'team/*'", "--after 0 --kind tag.set --data data"),
    "events replay": (f"{_SERVER} --sink ci --after 0", "--sink ci --after 0 --data data"),
    "events sinks": (_SERVER, "--data data"),
    "events test": (f"{_SERVER} --sink ci", "--sink ci --data data"),
    "gc dry-run": (_SERVER, "--data data"),
    "gc explain": (f"{_SERVER} sha256:…", "sha256:… --data data"),
    "gc run": (_SERVER, "--data data"),
    "gc undo": (_SERVER, "--data data"),
    "backup": ("/backup/registry --data data",),
    "restore": ("/backup/registry --data data",),
    "rebuild": ("--data data",),
    "migrate": (
        "--from data --to s3://registry-bucket/lab --to postgresql://basegate@db.example.org/basegate",
        "--from s3://registry-bucket/lab --from postgresql://basegate@db.example.org/basegate --to data",
    ),
    "verify": ("--data data",),
    "retention plan": (
        _SERVER,
        f"{_SERVER} --repository team/app",
        "--repository team/app --data data",
        "--data data --json > plan.json",
    ),
    "retention run": (_SERVER, f"{_SERVER} --plan plan.json --yes", "--plan plan.json --yes --data data"),
    "audit verify": ("--data data", "--data data --json"),
    "scrub": ("--data data",),
    "trash empty": (f"{_SERVER} --yes", "--yes --data data"),
    "trash ls": (_SERVER, "--data data"),
    "trash restore": (f"{_SERVER} RUN", "RUN --data data"),
    "config check": ("basegate.yaml",),
    "config example": ("> basegate.yaml",),
    "config schema": ("> basegate.schema.json",),
    "config show": ("--config basegate.yaml",),
    "version": ("", "--json"),
    "completion": ("bash > /etc/bash_completion.d/basegate",),
}
"""By the words of the command, what follows them."""


def with_examples(command: click.Command, name: str) -> click.Command:
    """The command, whose help, and that of the commands in it, ends with their examples."""
    lines = [f"  basegate {name} {example}".rstrip() for example in EXAMPLES.get(name, ())]
    if lines:
        command.epilog = "\n".join(["\b", "Examples:" if len(lines) > 1 else "Example:", *lines])
    if isinstance(command, click.Group):
        for word, each in command.commands.items():
            with_examples(each, f"{name} {word}")
    return command
