"""The provider block: which control plane the resources of a stack live in."""

from __future__ import annotations

from typing import Any, TypedDict

from flinkform import __version__
from flinkform.errors import Invalid
from flinkform.resources import PROVIDER
from flinkform_constructs._cdk import Construct, cdk, jsii
from flinkform_constructs.carrier import Carrier
from flinkform_constructs.scribe import Scribe, is_expression, through

_SECRET = ("access_key_secret", "security_token")


class Endpoints(TypedDict, total=False):
    """Where the two APIs answer, if not at the region's own addresses."""

    console: str
    ververica: str


class FlinkProvider(cdk.TerraformProvider):
    """The flink provider. A stack with flink resources needs one.

    What is left out comes from the environment, then from the profile's file. Access keys are best left out; a secret
    is taken as a reference only, such as a sensitive variable, never as text that would end up in a file.

    *commit* and *release* say what the stack is written for. They change no plan: a job that an apply changes is
    labelled with them, every other one keeps those of the apply that last changed it.
    """

    def __init__(  # noqa: PLR0913 - an argument an attribute, as editors like it
        self,
        scope: Construct,
        id: str = "flink",  # noqa: A002 - the CDK's word
        *,
        alias: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        endpoints: Endpoints | None = None,
        access_key_id: str | None = None,
        access_key_secret: str | None = None,
        security_token: str | None = None,
        commit: str | None = None,
        release: str | None = None,
        version: str = "",
    ) -> None:
        self._alias = alias
        values = {
            "region": region,
            "profile": profile,
            "endpoints": endpoints,
            "access_key_id": access_key_id,
            "access_key_secret": access_key_secret,
            "security_token": security_token,
            "commit": commit,
            "release": release,
        }
        _refuse_secrets(scope, values)
        super().__init__(
            scope,
            id,
            terraform_resource_type="flink",
            terraform_provider_source=PROVIDER,
            terraform_generator_metadata=cdk.TerraformProviderGeneratorMetadata(
                provider_name="flink", provider_version=version or __version__
            ),
        )
        self._values = {name: value for name, value in values.items() if value is not None}
        Carrier.of(cdk.TerraformStack.of(self)).has_provider = True

    @jsii.member(jsii_name="synthesizeAttributes")
    def _synthesize_attributes(self) -> Any:
        return Scribe(lambda _: False, through).write(self._values)

    @property
    @jsii.member(jsii_name="alias")
    def alias(self) -> str | None:
        """The name that tells this provider block from another one; resources say `provider=` to take it."""
        return self._alias

    @alias.setter
    def alias(self, value: str | None) -> None:
        self._alias = value


def _refuse_secrets(scope: Construct, values: dict[str, Any]) -> None:
    for name in _SECRET:
        if values[name] is not None and not is_expression(values[name]):
            raise Invalid(
                f"{scope.node.path}: {name}: expected a reference, got text",
                at=(name,),
                advice="leave it out and set ALIBABA_CLOUD_ACCESS_KEY_SECRET, or pass a sensitive variable",
            )
