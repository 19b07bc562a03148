"""What the functions import beside their own code and boto3, as layers that `make package` makes."""

import pulumi
import pulumi_aws as aws

from infra import package
from infra.settings import Settings

RUNTIME = f"python{package.PYTHON}"
ARCHITECTURE = "arm64"


def create_layers(settings: Settings) -> dict[str, aws.lambda_.LayerVersion]:
    """By the names of their lock files in requirements/."""
    return {name: _layer(name, settings) for name in package.LAYERS}


def _layer(name: str, settings: Settings) -> aws.lambda_.LayerVersion:
    return aws.lambda_.LayerVersion(
        name,
        layer_name=settings.name(name),
        description=package.layer(name).stem,  # the hash of what it was made from
        code=pulumi.FileArchive(str(package.layer(name))),
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
    )
